package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-forge/ingot"
	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git/repo"
)

// machine is who acts here: whoever may read the data directory may do all.
var machine = forge.Machine()

type adminCommand struct {
	User struct {
		Create userCreate `cmd:"" help:"Make a user; prints its id."`
	} `cmd:"" help:"Users."`
	Token struct {
		Create tokenCreate `cmd:"" help:"Make an access token and print it, and nothing else."`
	} `cmd:"" help:"Access tokens."`
	Fsck    fsckCommand    `cmd:"" help:"Verify every object, link and ref of one repository, or of all."`
	Compact compactCommand `cmd:"" help:"Join small packs of one repository, or of all, so that few are left, and write what makes fetches fast."`
	Sweep   sweepCommand   `cmd:"" help:"Remove stored files that nothing names and that are older than the grace time."`
	Usage   usageCommand   `cmd:"" help:"Tell what one repository takes in storage, or each of them."`
	Import  importCommand  `cmd:"" help:"Import a bare git repository from a directory."`
}

type userCreate struct {
	Place
	Name          string `arg:"" help:"Login of the user."`
	PasswordStdin bool   `help:"Read the password from standard input; without it the user has none."`
	Admin         bool   `help:"The user administers the instance."`
	Email         string `help:"E-mail address."`
}

// maxPassword bounds what is read from standard input.
const maxPassword = 1 << 10

func (c *userCreate) Run(ctx context.Context) error {
	password := ""
	if c.PasswordStdin {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, maxPassword+2)).ReadString('\n')
		if err != nil && err != io.EOF {
			return err
		}
		password = strings.TrimRight(line, "\r\n")
		if password == "" {
			return errors.New("the password on standard input is empty")
		}
	}
	return c.with(ctx, func(i *ingot.Instance) error {
		user, err := i.Accounts.CreateUser(ctx, machine, account.NewUser{Login: c.Name, Password: password, Email: c.Email, Admin: c.Admin})
		if err != nil {
			return err
		}
		fmt.Printf("user %s made (id %d)\n", user.Login, user.ID)
		return nil
	})
}

type tokenCreate struct {
	Place
	User    string `arg:"" help:"Login of the user."`
	Scopes  string `help:"Scopes, separated by commas: repo, public_repo, read:repo, delete_repo, user, admin:public_key, admin, …" default:"repo"`
	Repo    string `help:"Limit the token to one repository." placeholder:"OWNER/NAME"`
	Expires string `help:"How long the token works: 30d, 12h, …; for ever if left out." placeholder:"TIME"`
	Name    string `help:"What the token is for." default:"command line"`
}

func (c *tokenCreate) Run(ctx context.Context) error {
	scopes, err := forge.ParseScopes(c.Scopes)
	if err != nil {
		return err
	}
	n := account.NewToken{Name: c.Name, Scopes: scopes}
	if c.Expires != "" {
		lifetime, err := parseLifetime(c.Expires)
		if err != nil {
			return err
		}
		n.Expires = time.Now().Add(lifetime)
	}
	return c.with(ctx, func(i *ingot.Instance) error {
		if c.Repo != "" {
			owner, name, err := splitName(c.Repo)
			if err != nil {
				return err
			}
			r, err := i.Hosting.Get(ctx, machine, owner, name)
			if err != nil {
				return err
			}
			n.Only = r.ID
		}
		token, _, err := i.Accounts.CreateToken(ctx, machine, c.User, n)
		if err != nil {
			return err
		}
		fmt.Println(token)
		return nil
	})
}

type fsckCommand struct {
	Place
	Repo string `arg:"" optional:"" help:"Repository; all if left out." placeholder:"OWNER/NAME"`
}

func (c *fsckCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(i *ingot.Instance) error {
		faults := 0
		err := eachRepository(ctx, i, c.Repo, func(r *forge.Repository) error {
			bar := newBar("checking " + r.FullName())
			found, err := i.Hosting.Check(ctx, machine, r.Owner, r.Name,
				func(fault string) { bar.line(r.FullName() + ": " + fault) },
				func(done, total int) { bar.set(int64(done), int64(total)) })
			bar.end()
			if err != nil {
				return fmt.Errorf("%s: %w", r.FullName(), err)
			}
			faults += found
			fmt.Printf("%s: %d faults\n", r.FullName(), found)
			return nil
		})
		if err != nil {
			return err
		}
		if faults > 0 {
			return fmt.Errorf("%d faults found", faults)
		}
		return nil
	})
}

type compactCommand struct {
	Place
	Repo string `arg:"" optional:"" help:"Repository; all if left out." placeholder:"OWNER/NAME"`
	All  bool   `help:"Join all packs into one, also the large ones."`
}

// compactMemory is what the runtime is asked to stay below while compacting: the collector
// would let garbage double the memory in use otherwise.
const compactMemory = 448 << 20

func (c *compactCommand) Run(ctx context.Context) error {
	debug.SetMemoryLimit(min(compactMemory, debug.SetMemoryLimit(-1))) // GOMEMLIMIT may say less
	return c.with(ctx, func(i *ingot.Instance) error {
		return eachRepository(ctx, i, c.Repo, func(r *forge.Repository) error {
			for more := true; more; {
				bar := newBar(r.FullName())
				done, err := i.Hosting.Compact(ctx, machine, r.Owner, r.Name, repo.CompactOptions{All: c.All,
					Progress: func(phase string, done, total int) {
						bar.name(r.FullName() + ": " + phase)
						bar.set(int64(done), int64(total))
					}})
				bar.end()
				if err != nil {
					return fmt.Errorf("%s: %w", r.FullName(), err)
				}
				fmt.Printf("%s: %s\n", r.FullName(), done)
				more = done.Left > 0
			}
			return nil
		})
	})
}

type sweepCommand struct {
	Place
}

func (c *sweepCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(i *ingot.Instance) error {
		files, bytes, err := i.Hosting.Sweep(ctx, machine, func(file string, bytes int64) { fmt.Printf("removed %s (%d bytes)\n", file, bytes) })
		if err != nil {
			return err
		}
		fmt.Printf("%d files, %d bytes removed\n", files, bytes)
		return nil
	})
}

type usageCommand struct {
	Place
	Repo string `arg:"" optional:"" help:"Repository; all if left out." placeholder:"OWNER/NAME"`
}

func (c *usageCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(i *ingot.Instance) error {
		return eachRepository(ctx, i, c.Repo, func(r *forge.Repository) error {
			u, err := i.Hosting.Usage(ctx, machine, r.Owner, r.Name)
			if err != nil {
				return fmt.Errorf("%s: %w", r.FullName(), err)
			}
			fmt.Printf("%s: %d packs, %d objects, %d bytes, and %d derived from them\n", r.FullName(), u.Packs, u.Objects, u.Bytes, u.Derived)
			return nil
		})
	})
}

type importCommand struct {
	Place
	From    string `arg:"" help:"Directory of a bare git repository."`
	Repo    string `arg:"" help:"Repository to make, or an empty one to fill." placeholder:"OWNER/NAME"`
	Private bool   `help:"Make it private." default:"true" negatable:""`
}

func (c *importCommand) Run(ctx context.Context) error {
	owner, name, err := splitName(c.Repo)
	if err != nil {
		return err
	}
	if strings.Contains(c.From, "://") {
		return errors.New("importing from a URL is not supported yet; clone it with git clone --mirror and import the directory, or push with git push --mirror")
	}
	if info, err := os.Stat(c.From); err != nil || !info.IsDir() {
		return fmt.Errorf("%s is not a directory", c.From)
	}
	return c.with(ctx, func(i *ingot.Instance) error {
		bar := newBar("")
		defer bar.end()
		r, err := i.Hosting.Import(ctx, machine, owner, hosting.NewRepository{Name: name, Private: c.Private}, os.DirFS(c.From),
			func(p hosting.ImportProgress) { bar.name(p.Stage); bar.set(p.Done, p.Total) })
		if err != nil {
			return err
		}
		bar.end()
		fmt.Printf("imported %s\n", r.FullName())
		return nil
	})
}

// with runs work on the opened instance.
func (p Place) with(ctx context.Context, work func(*ingot.Instance) error) error {
	i, err := p.open(ctx)
	if err != nil {
		return err
	}
	err = work(i)
	return errors.Join(err, i.Close(ctx))
}

// eachRepository calls visit for the one named, or for all when name is "".
func eachRepository(ctx context.Context, i *ingot.Instance, name string, visit func(*forge.Repository) error) error {
	if name != "" {
		owner, name, err := splitName(name)
		if err != nil {
			return err
		}
		r, err := i.Hosting.Get(ctx, machine, owner, name)
		if err != nil {
			return err
		}
		return visit(r)
	}
	for after := int64(0); ; {
		page, err := i.Hosting.ListVisible(ctx, machine, hosting.Page{After: after})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, r := range page {
			if err := visit(r); err != nil {
				return err
			}
			after = int64(r.ID)
		}
	}
}

func splitName(full string) (owner, name string, err error) {
	owner, name, ok := strings.Cut(full, "/")
	if !ok || owner == "" || name == "" {
		return "", "", fmt.Errorf("%q is not of the form OWNER/NAME", full)
	}
	return owner, name, nil
}

// parseLifetime reads a duration as time.ParseDuration does, with days too: "30d".
func parseLifetime(text string) (time.Duration, error) {
	const longest = 100 * 365 * 24 * time.Hour
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		d = time.Duration(n) * 24 * time.Hour // 16 bits of days fit
	}
	if err != nil || d <= 0 || d > longest {
		return 0, fmt.Errorf("--expires: %q is not a lifetime such as 30d or 12h", text)
	}
	return d, nil
}
