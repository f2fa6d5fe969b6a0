package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/script/*.txtar, each with a server and a data
// directory of its own. Besides testscript's commands a script has
//
//	server start|stop|kill|restart [flags]
//	ingot ARGS…            the program, with --data for admin commands
//	user NAME [SCOPES]     make a user without password; $NAME_TOKEN is a token of theirs (scope repo)
//	token VAR USER [flags]  make a token with these flags of `ingot admin token create`, into $VAR
//	key NAME               give the user an SSH key, made in $WORK/NAME.key
//	as NAME                use that user's credentials: git over HTTP asks for none, over SSH uses the key
//	api STATUS METHOD PATH [JSON]   call the API as the user of the last "as"; the answer is stdout
//	http STATUS METHOD PATH [-h 'NAME: VALUE']… [-d FILE]   one request without credentials of its own;
//	                       stdout is the body, stderr the headers; STATUS may be "401|404"
//	pkt FILE LINE…         write pkt-lines to FILE; 0000 and 0001 stand for themselves
//	answers OWNER/NAME FILE   write the answers of every address of a repository, to nobody and to
//	                       the user of the last "as", into FILE, the name itself replaced
//	env-from FILE          set variables from lines NAME=VALUE
//	history DIR N          make a repository of N commits, a day apart, with merges and tags
//	random FILE BYTES      write a file that can't be compressed
//	samerefs URL DIR       the refs of URL, as git ls-remote lists them, are those of the repository DIR
//	sameobjects DIR DIR    two repositories have the same objects, without fetching any
//
// and the variables $URL (http://host:port), $AUTH (the same with the token of
// the last "as"), $SSH (ssh://git@host:port).
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server":      serverCommand,
			"ingot":       ingotCommand,
			"user":        userCommand,
			"key":         keyCommand,
			"as":          asCommand,
			"api":         apiCommand,
			"token":       tokenCommand,
			"answers":     answersCommand,
			"env-from":    envFromCommand,
			"http":        httpCommand,
			"pkt":         pktCommand,
			"history":     historyCommand,
			"random":      randomCommand,
			"samerefs":    sameRefsCommand,
			"sameobjects": sameObjectsCommand,
		},
	})
}

// running is the server of a script, kept in testscript's values.
type running struct {
	*server
	data string
}

func setupScript(env *testscript.Env) error {
	for _, kv := range environment() {
		k, v, _ := strings.Cut(kv, "=")
		env.Setenv(k, v)
	}
	home := filepath.Join(env.WorkDir, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	config := "[init]\n\tdefaultBranch = main\n[core]\n\tfsync = none\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n" +
		"[advice]\n\tdetachedHead = false\n[protocol \"file\"]\n\tallow = always\n[user]\n\tname = A U Thor\n\temail = author@example.org\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o600); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(home, ".gitconfig"))
	r := &running{data: filepath.Join(env.WorkDir, "data")}
	env.Values["server"] = r
	env.Defer(func() {
		if r.server != nil {
			r.stop()
		}
	})
	return nil
}

func serverOf(ts *testscript.TestScript) *running { return ts.Value("server").(*running) }

func serverCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: server start|stop|kill|restart [flags]")
	}
	r := serverOf(ts)
	if args[0] != "start" && r.server == nil {
		ts.Fatalf("server %s: not started", args[0])
	}
	switch args[0] {
	case "stop":
		r.stop()
		return
	case "kill":
		r.kill()
		return
	case "restart":
		r.stop()
	case "start":
	default:
		ts.Fatalf("server: unknown verb %q", args[0])
	}
	s, err := launch(r.data, args[1:]...)
	ts.Check(err)
	r.server = s
	ts.Setenv("URL", "http://"+s.http)
	ts.Setenv("SSH", "ssh://git@"+s.ssh)
	setAuth(ts, ts.Getenv("TOKEN"))
}

func setAuth(ts *testscript.TestScript, token string) {
	r := serverOf(ts)
	if token != "" && r.server != nil {
		ts.Setenv("TOKEN", token)
		ts.Setenv("AUTH", strings.TrimSuffix(r.url(token, ""), "/"))
	}
}

func ingotCommand(ts *testscript.TestScript, neg bool, args []string) {
	r := serverOf(ts)
	if len(args) > 0 && args[0] == "admin" {
		args = append(args, "--data", r.data)
	}
	err := ts.Exec(ingot, args...)
	if (err != nil) != neg {
		ts.Fatalf("ingot %s: error %v", strings.Join(args, " "), err)
	}
}

func userCommand(ts *testscript.TestScript, _ bool, args []string) {
	scopes := "repo"
	if len(args) == 2 {
		scopes = args[1]
	} else if len(args) != 1 {
		ts.Fatalf("usage: user NAME [SCOPES]")
	}
	_, err := runAdmin(serverOf(ts).data, "", "user", "create", args[0])
	ts.Check(err)
	makeToken(ts, args[0]+"_TOKEN", args[0], "--scopes", scopes)
}

func tokenCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: token VAR USER [flags]")
	}
	makeToken(ts, args[0], args[1], args[2:]...)
}

func makeToken(ts *testscript.TestScript, variable, user string, flags ...string) {
	token, err := runAdmin(serverOf(ts).data, "", append([]string{"token", "create", user}, flags...)...)
	ts.Check(err)
	ts.Setenv(variable, token)
}

func keyCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: key NAME")
	}
	file := filepath.Join(ts.Getenv("WORK"), args[0]+".key")
	out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", args[0], "-f", file).CombinedOutput()
	if err != nil {
		ts.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	public, err := os.ReadFile(file + ".pub")
	ts.Check(err)
	r := serverOf(ts)
	token, err := runAdmin(r.data, "", "token", "create", args[0], "--scopes", "admin:public_key")
	ts.Check(err)
	body, _ := json.Marshal(map[string]string{"title": "test", "key": string(public)})
	status, answer, err := call(r.server, token, "POST", "/user/keys", body)
	ts.Check(err)
	if status != http.StatusCreated {
		ts.Fatalf("adding the key: %d %s", status, answer)
	}
}

func asCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: as NAME")
	}
	setAuth(ts, ts.Getenv(args[0]+"_TOKEN"))
	key := filepath.Join(ts.Getenv("WORK"), args[0]+".key")
	ts.Setenv("GIT_SSH_COMMAND", sshCommand(key))
}

func sshCommand(key string) string {
	return "ssh -F /dev/null -i " + key + " -o IdentitiesOnly=yes -o IdentityAgent=none -o StrictHostKeyChecking=no" +
		" -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes"
}

func apiCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: api STATUS METHOD PATH [JSON]")
	}
	var body []byte
	if len(args) == 4 {
		body = []byte(args[3])
	}
	status, answer, err := call(serverOf(ts).server, ts.Getenv("TOKEN"), args[1], args[2], body)
	ts.Check(err)
	var pretty bytes.Buffer
	if json.Indent(&pretty, answer, "", "  ") == nil {
		answer = append(pretty.Bytes(), '\n')
	}
	fmt.Fprint(ts.Stdout(), string(answer))
	if fmt.Sprint(status) != args[0] {
		ts.Fatalf("%s %s answered %d, not %s:\n%s", args[1], args[2], status, args[0], answer)
	}
}

// call calls the API; token "" or "none" sends no credential.
func call(s *server, token, method, path string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequest(method, "http://"+s.http+"/api/v3"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if token != "" && token != "none" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}
