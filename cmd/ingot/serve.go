package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	neturl "net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ingot-forge/ingot"
)

type serveCommand struct {
	Place
	HTTP    string        `help:"Address to serve HTTP on; \":3000\" for all of the machine's." default:"127.0.0.1:3000" env:"INGOT_HTTP"`
	SSH     string        `help:"Address to serve SSH on; \"off\" for none." default:"127.0.0.1:2222" env:"INGOT_SSH"`
	URL     string        `help:"Public address of the forge, as users type it; the HTTP address if left out." placeholder:"URL" env:"INGOT_URL"`
	Proxies []string      `help:"Networks of reverse proxies whose X-Forwarded-For is believed." placeholder:"10.0.0.0/8" env:"INGOT_PROXIES"`
	Debug   string        `help:"Address to serve profiles on (go tool pprof); for operators only, off if left out." placeholder:"ADDR" env:"INGOT_DEBUG"`
	Grace   time.Duration `help:"How long running requests may go on after a signal to stop." default:"60s" env:"INGOT_GRACE"`
	Limit   limitFlags    `embed:"" prefix:"limit-" group:"Limits (0 means the default; sizes take KiB, MiB, GiB)"`
}

// maxHeaderBytes bounds the headers of a request.
const maxHeaderBytes = 64 << 10

func (c *serveCommand) Run(ctx context.Context) error {
	proxies, err := parseNetworks(c.Proxies)
	if err != nil {
		return err
	}
	web, err := net.Listen("tcp", c.HTTP)
	if err != nil {
		return fmt.Errorf("can't serve HTTP: %w", err)
	}
	defer web.Close()
	var secure net.Listener
	url := strings.TrimSuffix(c.URL, "/")
	if url == "" {
		url = "http://" + dialable(web.Addr(), "localhost")
	}
	public, err := neturl.Parse(url)
	if err != nil || public.Host == "" || public.Scheme != "http" && public.Scheme != "https" {
		return fmt.Errorf("--url: %q is not an address such as https://forge.example.org", c.URL)
	}
	secureAddress := ""
	if c.SSH != "off" && c.SSH != "" {
		if secure, err = net.Listen("tcp", c.SSH); err != nil {
			return fmt.Errorf("can't serve SSH: %w", err)
		}
		defer secure.Close()
		secureAddress = dialable(secure.Addr(), public.Hostname())
	}
	debugAddress := ""
	if c.Debug != "" {
		debug, err := net.Listen("tcp", c.Debug)
		if err != nil {
			return fmt.Errorf("can't serve profiles: %w", err)
		}
		defer debug.Close()
		debugAddress = debug.Addr().String()
		go serveDebug(debug)
	}
	instance, err := ingot.Open(ctx, ingot.Config{Data: c.Data, Database: c.Database, Blobs: c.Blobs,
		URL: url, SSH: secureAddress, Version: programVersion(), Log: slog.Default(), Proxies: proxies, Limits: c.Limit.limits()})
	if err != nil {
		return err
	}
	c.announce(ctx, instance, "http://"+dialable(web.Addr(), "localhost"), url, secureAddress, debugAddress)
	err = c.serve(ctx, instance, web, secure)
	closing, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return errors.Join(err, instance.Close(closing))
}

// announce says on standard output where the forge is, and on the very first
// start how to begin.
func (c *serveCommand) announce(ctx context.Context, instance *ingot.Instance, local, url, secure, debug string) {
	fmt.Printf("Ingot %s\n  data  %s\n  http  %s\n", programVersion(), c.Data, local)
	if url != local {
		fmt.Printf("  url   %s\n", url)
	}
	if secure != "" {
		fmt.Printf("  ssh   ssh://git@%s\n", secure)
	}
	if debug != "" {
		fmt.Printf("  debug %s\n", debug)
	}
	if users, err := instance.Accounts.ListUsers(ctx, machine, 0, 1); err == nil && len(users) == 0 {
		me := os.Args[0]
		if strings.Contains(me, "go-build") {
			me = "go run ./cmd/ingot" // which has made a program that will be gone
		}
		fmt.Printf("There is no user yet. Make the first one, in another terminal:\n"+
			"  %[1]s admin user create NAME --admin --data %[2]s\n  %[1]s admin token create NAME --data %[2]s\n", me, c.Data)
	}
}

// dialable is where a listener is reached: one on all addresses, at host.
func dialable(a net.Addr, host string) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(tcp.Port))
}

// serve runs until ctx ends or a listener fails; then it lets running requests
// finish, for c.Grace.
func (c *serveCommand) serve(ctx context.Context, instance *ingot.Instance, web, secure net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	server := &http.Server{
		Handler:           instance.Handler(),
		ConnContext:       instance.ConnContext,
		ReadHeaderTimeout: 15 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug), // handshakes and resets of strangers
	}
	failed := make(chan error, 2)
	var running sync.WaitGroup
	running.Go(func() { instance.Maintain(ctx) })
	running.Go(func() {
		if err := server.Serve(web); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serving HTTP: %w", err)
		}
	})
	if secure != nil {
		running.Go(func() {
			if err := instance.ServeSSH(secure); err != nil {
				failed <- fmt.Errorf("serving SSH: %w", err)
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
		slog.Info("stopping; running requests may finish", "grace", c.Grace)
	case err = <-failed:
	}
	stop()
	grace, cancel := context.WithTimeout(context.Background(), c.Grace)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() {
		if server.Shutdown(grace) != nil {
			server.Close()
		}
	})
	both.Go(func() { _ = instance.ShutdownSSH(grace) }) // what it cut off, it logged
	both.Wait()
	running.Wait()
	return err
}

func parseNetworks(texts []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			addr, addrErr := netip.ParseAddr(text)
			if addrErr != nil {
				return nil, fmt.Errorf("--proxies: %q is neither an address nor a network", text)
			}
			network = netip.PrefixFrom(addr, addr.BitLen())
		}
		networks = append(networks, network)
	}
	return networks, nil
}
