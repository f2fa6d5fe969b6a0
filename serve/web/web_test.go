package web_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-forge/ingot"
	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/hosting"
)

const public = "https://forge.example"

// open returns a whole instance's handler, with the user alice and a token of hers.
func open(t *testing.T) (*ingot.Instance, http.Handler, string) {
	t.Helper()
	i, err := ingot.Open(t.Context(), ingot.Config{Data: t.TempDir(), URL: public, SSH: "forge.example:2222", Version: "1.2.3",
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close(context.Background()) })
	if _, err := i.Accounts.CreateUser(t.Context(), forge.Machine(), account.NewUser{Login: "alice"}); err != nil {
		t.Fatal(err)
	}
	token, _, err := i.Accounts.CreateToken(t.Context(), forge.Machine(), "alice", account.NewToken{Scopes: forge.Scopes{forge.ScopeRepo}})
	if err != nil {
		t.Fatal(err)
	}
	return i, i.Handler(), token
}

func create(t *testing.T, i *ingot.Instance, n hosting.NewRepository) {
	t.Helper()
	if _, err := i.Hosting.Create(t.Context(), forge.Machine(), "alice", n); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, h http.Handler, path, token string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	h.ServeHTTP(w, r)
	return w
}

// page is a page taken apart: the elements in it, and the text of each.
type page struct {
	elements []string
	attrs    []string          // all, as "element name=value"
	text     map[string]string // by "element.class", blank lines between several
}

// void are HTML's elements without an end.
var void = regexp.MustCompile(`<((?:meta|link|img|br|hr|input)(?: [^<>]*)?)>`)

// parse takes a page apart, strictly: what is not well formed, save for HTML's
// own void elements, is an error.
func parse(t *testing.T, w *httptest.ResponseRecorder) page {
	t.Helper()
	p := page{text: map[string]string{}}
	d := xml.NewDecoder(strings.NewReader(void.ReplaceAllString(w.Body.String(), "<$1/>")))
	d.Entity = xml.HTMLEntity
	var within []string
	for {
		token, err := d.Token()
		if err == io.EOF {
			return p
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, w.Body)
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			p.elements = append(p.elements, name)
			key := name
			for _, a := range token.Attr {
				p.attrs = append(p.attrs, name+" "+a.Name.Local+"="+a.Value)
				if a.Name.Local == "class" {
					key += "." + a.Value
				}
			}
			within = append(within, key)
			p.text[key] += "\n"
		case xml.EndElement:
			within = within[:len(within)-1]
		case xml.CharData:
			for _, key := range within {
				p.text[key] += string(token)
			}
		}
	}
}

func TestStartPage(t *testing.T) {
	i, h, token := open(t)
	empty := parse(t, get(t, h, "/", ""))
	if !strings.Contains(empty.text["p.empty"], "No public repository yet") || slices.Contains(empty.elements, "ul") {
		t.Errorf("with nothing: %q", empty.text["main"])
	}
	create(t, i, hosting.NewRepository{Name: "seen", Description: "for all"})
	create(t, i, hosting.NewRepository{Name: "hidden", Description: "top secret", Private: true})

	w := get(t, h, "/", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	p := parse(t, w)
	if got := strings.Fields(p.text["div.name"]); !slices.Equal(got, []string{"alice/seen"}) {
		t.Errorf("a stranger sees %q", got)
	}
	if strings.Contains(w.Body.String(), "hidden") || strings.Contains(w.Body.String(), "secret") {
		t.Error("a stranger's page has the private repository")
	}
	if !strings.Contains(p.text["code.clone"], "git clone "+public+"/alice/seen.git") || !strings.Contains(p.text["footer"], "1.2.3") {
		t.Errorf("%q", p.text)
	}
	if got := p.text["div.commands"]; !strings.Contains(got, "git remote add ingot "+public+"/NAME/PROJECT.git") ||
		!strings.Contains(got, "ssh://git@forge.example:2222/NAME/PROJECT.git") {
		t.Errorf("commands %q", got)
	}
	if n := strings.Count(p.text["code"], "\n"); n != 5 {
		t.Errorf("%d commands, want each on a line of its own: %q", n, p.text["code"])
	}
	own := parse(t, get(t, h, "/", token))
	if got := strings.Fields(own.text["div.name"]); !slices.Equal(got, []string{"alice/seen", "alice/hidden", "private"}) {
		t.Errorf("alice sees %q", got)
	}
	if w := get(t, h, "/", "ingot_wrong"); w.Code != 401 {
		t.Errorf("a wrong token: %d", w.Code)
	}
}

// TestPageStructure: one heading, a language, a title, sections with names.
func TestPageStructure(t *testing.T) {
	i, h, _ := open(t)
	create(t, i, hosting.NewRepository{Name: "seen"})
	for _, path := range []string{"/", "/none"} {
		p := parse(t, get(t, h, path, ""))
		count := func(element string) (n int) {
			for _, e := range p.elements {
				if e == element {
					n++
				}
			}
			return n
		}
		if count("h1") != 1 || count("main") != 1 || count("title") != 1 || count("script") != 0 || count("style") != 0 {
			t.Errorf("%s: %v", path, p.elements)
		}
		if !slices.Contains(p.attrs, "html lang=en") || !slices.Contains(p.attrs, "meta content=width=device-width, initial-scale=1") {
			t.Errorf("%s: %v", path, p.attrs)
		}
		ids := map[string]bool{}
		for _, a := range p.attrs {
			element, attr, _ := strings.Cut(a, " ")
			name, value, _ := strings.Cut(attr, "=")
			switch {
			case name == "id" && ids[value]:
				t.Errorf("%s: two elements have the id %s", path, value)
			case name == "id":
				ids[value] = true
			case name == "style", strings.HasPrefix(name, "on"):
				t.Errorf("%s: %s would not pass the page's own policy", path, a)
			case (name == "href" || name == "src") && !strings.HasPrefix(value, "/"):
				t.Errorf("%s: %s %s leads elsewhere", path, element, attr)
			}
		}
		for _, a := range p.attrs {
			if _, label, ok := strings.Cut(a, "aria-labelledby="); ok && !ids[label] {
				t.Errorf("%s: nothing has the id %s", path, label)
			}
		}
	}
}

// TestHostileDescription: what users write stays text.
func TestHostileDescription(t *testing.T) {
	i, h, _ := open(t)
	for n, text := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</p></li></ul><h1>owned`, `<!--`, `]]>`, `&lt;b&gt;`,
		`{{ 7*7 }} javascript:alert(1)`, "\u202eright to left", `'';!--"<XSS>=&{()}`} {
		create(t, i, hosting.NewRepository{Name: fmt.Sprintf("r%d", n), Description: text})
		w := get(t, h, "/", "")
		p := parse(t, w)
		if !strings.Contains(p.text["p"], text) {
			t.Errorf("%q is not shown as it is", text)
		}
		for _, element := range []string{"script", "img", "XSS", "b"} {
			if slices.Contains(p.elements, element) {
				t.Errorf("%q made an element %s", text, element)
			}
		}
		if headings := strings.Count(p.text["h1"], "\n"); headings != 1 {
			t.Errorf("%q made a heading", text)
		}
	}
}

func TestHeaders(t *testing.T) {
	_, h, _ := open(t)
	for _, path := range []string{"/", "/none", "/assets/style.css", "/robots.txt"} {
		header := get(t, h, path, "").Header()
		policy := header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: policy %q lacks %s", path, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || strings.Contains(policy, "data:") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Referrer-Policy") != "same-origin" ||
			header.Get("Cross-Origin-Opener-Policy") != "same-origin" {
			t.Errorf("%s: %v", path, header)
		}
	}
}

// TestNotFound: a private repository's address and any other give the same page,
// and no address is redirected.
func TestNotFound(t *testing.T) {
	i, h, _ := open(t)
	create(t, i, hosting.NewRepository{Name: "hidden", Private: true})
	want := get(t, h, "/none", "").Body.String()
	for _, path := range []string{"/alice/hidden", "/alice/none", "/alice/hidden?go-get=1", "/alice/none?go-get=1", "/alice", "/nobody", "//evil.example", "/%2f%2fevil.example",
		"/..%2f..%2fetc/passwd", "/alice/hidden.git/config", "/alice/hidden.git/HEAD", "/assets/", "/assets/../x", "/login?redirect_to=//evil.example",
		"/alice/hidden.atom", "/alice/hidden/archive/main.tar.gz", "/\\evil.example"} {
		r := httptest.NewRequest("GET", "http://forge.example/", nil)
		target, query, _ := strings.Cut(path, "?")
		r.URL.Path, r.URL.RawQuery = target, query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 404 || w.Header().Get("Location") != "" || w.Body.String() != want {
			t.Errorf("%s: %d to %q: %s", path, w.Code, w.Header().Get("Location"), w.Body)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "TRACE"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		if w.Code < 400 {
			t.Errorf("%s /: %d", method, w.Code)
		}
	}
}

// TestPages: the list goes on from page to page and each repository is on one.
func TestPages(t *testing.T) {
	i, h, _ := open(t)
	const all = 117
	for n := range all {
		create(t, i, hosting.NewRepository{Name: fmt.Sprintf("r%d", n), Private: n%10 == 9})
	}
	seen := map[string]bool{}
	next, pages := "/", 0
	for next != "" && pages < 10 {
		pages++
		p := parse(t, get(t, h, next, ""))
		for _, name := range strings.Fields(p.text["div.name"]) {
			if seen[name] {
				t.Errorf("%s is on two pages", name)
			}
			seen[name] = true
		}
		next = ""
		for _, a := range p.attrs {
			if to, ok := strings.CutPrefix(a, "a href=/?after="); ok {
				next = "/?after=" + to
			}
		}
	}
	if want := all - all/10; len(seen) != want || pages != 3 {
		t.Errorf("%d repositories on %d pages, want %d on 3", len(seen), pages, want)
	}
	for _, after := range []string{"-1", "x", "99999999999999999999", "", "1%00"} {
		if w := get(t, h, "/?after="+after, ""); w.Code != 200 {
			t.Errorf("after=%s: %d", after, w.Code)
		}
	}
}
