// Command ingot is the whole of Ingot: `ingot serve` is the forge, `ingot admin`
// its operator's hand. It parses flags and environment, and leaves the rest to
// package ingot.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/ingot-forge/ingot"
)

// version is set by the linker in released builds.
var version = ""

// Place says where an instance lives; every command takes it.
type Place struct {
	Data     string `help:"Directory that keeps everything." default:"ingot-data" env:"INGOT_DATA" type:"path"`
	Database string `help:"Database: sqlite (in the data directory)." default:"sqlite" env:"INGOT_DATABASE"`
	Blobs    string `help:"Blob store: file (in the data directory)." default:"file" env:"INGOT_BLOBS"`
}

type program struct {
	Serve   serveCommand   `cmd:"" help:"Serve the forge over HTTP and SSH."`
	Admin   adminCommand   `cmd:"" help:"Operate an instance, also while it is served."`
	Version versionCommand `cmd:"" help:"Print the version."`

	LogLevel  string `help:"Least severe lines to log: debug, info, warn, error." default:"info" enum:"debug,info,warn,error" env:"INGOT_LOG_LEVEL"`
	LogFormat string `help:"Format of the log: text or json." default:"text" enum:"text,json" env:"INGOT_LOG_FORMAT"`
}

func main() {
	var p program
	k := kong.Parse(&p, kong.Name("ingot"), kong.ShortUsageOnError(),
		kong.Description("A whole GitHub alternative in one binary. Start with: ingot serve"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	slog.SetDefault(p.logger())
	k.BindTo(ctx, (*context.Context)(nil))
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "ingot:", err)
		os.Exit(1)
	}
}

// logger writes to standard error: standard output belongs to what a command
// prints for programs.
func (p *program) logger() *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(p.LogLevel)) // kong has checked it
	options := &slog.HandlerOptions{Level: level}
	if p.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// open opens the instance for an admin command, which logs nothing but errors.
func (p Place) open(ctx context.Context) (*ingot.Instance, error) {
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return ingot.Open(ctx, ingot.Config{Data: p.Data, Database: p.Database, Blobs: p.Blobs, Version: programVersion(), Log: quiet})
}

type versionCommand struct{}

func (versionCommand) Run() error {
	fmt.Println("ingot", programVersion())
	return nil
}

// programVersion is the linker's word, else the module's, else "devel".
func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
