package transfer

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// keptRecipes bounds the blocks of all recipes of a Server, in bytes: those that
	// are being read, and those kept because they may be asked for again. Two or three
	// thousand clones of branch tips fit, or a dozen depth-1 clones of large repositories.
	keptRecipes = 64 << 20
	// recipeMax bounds one that is kept; a larger one is made as its clients read
	// it, and no more of it than recipeWindow lies ready.
	recipeMax    = 16 << 20
	recipeWindow = 1 << 20
	// recipeCost is what a recipe takes besides its blocks, about.
	recipeCost = 1 << 10
	// lagPatience is how long clients of one outgrown recipe wait for the slowest
	// among them before it is given up.
	lagPatience = 10 * time.Second
)

// recipeKey says what a recipe answers. What an answer consists of follows from
// the repository's objects alone, which never change: so a push elsewhere in the
// repository leaves every recipe as good as it was.
type recipeKey [sha256.Size]byte

// recipes are those of one Server: each is made once for all who ask for the
// same at the same time, and kept for the next as long as there is room.
//
// A recipe holds no pack open. Who follows it reads the ranges through a
// snapshot of its own, and joins only if that has all the packs it needs.
type recipes struct {
	mu    sync.Mutex
	byKey map[recipeKey]*recipe
	idle  list.List // of those in byKey that are done and that nobody reads; the first was left last
	bytes int64     // of all recipes, recipeCost included
}

// reader is one who follows a recipe. It serves one goroutine.
type reader struct {
	all    *recipes
	recipe *recipe
	at     int // block to read next
	told   int // lines of progress that were told
	now    string
	lagged bool
}

// maker makes a recipe, and ends when its context does.
type maker func(context.Context, *recipe) (sent, error)

// join follows the recipe of a key, which is made in a goroutine of its own if
// there is none yet. packs are those of the caller's snapshot, of which the maker uses no others. The
// caller leaves.
func (a *recipes) join(ctx context.Context, key recipeKey, packs map[string]bool, by maker) *reader {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.byKey[key]
	if r != nil && !r.fits(packs) {
		a.forget(r)
		r = nil
	}
	if r == nil {
		r = a.start(ctx, key, packs, by)
	}
	a.wake(r)
	d := &reader{all: a, recipe: r}
	r.readers[d] = true
	return d
}

// fits reports whether one who has these packs can follow.
func (r *recipe) fits(packs map[string]bool) bool {
	for name := range r.needs {
		if !packs[name] {
			return false
		}
	}
	return true
}

// start begins a recipe. Called with mu held.
func (a *recipes) start(ctx context.Context, key recipeKey, packs map[string]bool, by maker) *recipe {
	// It goes on as long as anybody reads it, not as long as who began it does.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &recipe{key: key, needs: packs, readers: make(map[*reader]bool), changed: make(chan struct{}),
		cancel: cancel, finished: make(chan struct{})}
	if a.byKey == nil {
		a.byKey = make(map[recipeKey]*recipe)
	}
	a.byKey[key] = r
	a.bytes += recipeCost
	go func() {
		defer close(r.finished)
		defer cancel()
		var s sent
		err := contained(func() (err error) { s, err = by(ctx, r); return err })
		a.finish(r, s, err)
	}()
	return r
}

// contained makes a panic an error: in a goroutine of its own it would end the
// process, and not only what a request is answered with.
func contained(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}

// finish ends the making of a recipe. One that failed is nobody's any more but
// of those who read it.
func (a *recipes) finish(r *recipe, s sent, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.done, r.err, r.sent = true, err, s
	r.needs = make(map[string]bool, len(r.sources))
	for _, name := range r.sources {
		r.needs[name] = true
	}
	if err != nil {
		a.forget(r)
	}
	a.notify(r)
}

// leave ends the following of a recipe. The last one of a recipe that is still
// being made ends that, and waits for it.
func (d *reader) leave() {
	a, r := d.all, d.recipe
	a.mu.Lock()
	delete(r.readers, d)
	last := len(r.readers) == 0
	if !last {
		a.notify(r) // its maker may have waited for this one
		a.mu.Unlock()
		return
	}
	if !r.done {
		a.forget(r)
		a.mu.Unlock()
		r.cancel()
		<-r.finished
		a.mu.Lock()
	}
	if a.byKey[r.key] == r {
		r.idle = a.idle.PushFront(r)
		a.evict()
	} else {
		a.free(r)
	}
	a.mu.Unlock()
}

// forget lets nobody else join. Called with mu held.
func (a *recipes) forget(r *recipe) {
	if a.byKey[r.key] != r {
		return
	}
	delete(a.byKey, r.key)
	if r.idle != nil {
		a.wake(r)
		a.free(r)
	}
}

// wake takes a recipe out of the idle ones. Called with mu held.
func (a *recipes) wake(r *recipe) {
	if r.idle != nil {
		a.idle.Remove(r.idle)
		r.idle = nil
	}
}

// free gives up the blocks of a recipe that nobody reads or joins. Called with mu held.
func (a *recipes) free(r *recipe) {
	a.bytes -= r.bytes + recipeCost
	r.bytes, r.blocks = 0, nil
}

// evict frees what was not asked for for longest until there is room, and
// reports whether there is. Called with mu held.
func (a *recipes) evict() bool {
	for a.bytes > keptRecipes && a.idle.Len() > 0 {
		a.forget(a.idle.Back().Value.(*recipe))
	}
	return a.bytes <= keptRecipes
}

// notify tells all who wait that something has changed. Called with mu held.
func (a *recipes) notify(r *recipe) {
	close(r.changed)
	r.changed = make(chan struct{})
}

// add shows a block to the readers. It waits for them where the recipe is too
// large to be kept.
func (a *recipes) add(ctx context.Context, r *recipe, block []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.blocks = append(r.blocks, block)
	r.bytes += int64(len(block))
	a.bytes += int64(len(block))
	if !r.outgrown && (r.bytes > recipeMax || !a.evict()) {
		r.outgrown = true
		a.forget(r)
	}
	a.notify(r)
	if !r.outgrown {
		return ctx.Err()
	}
	var late <-chan time.Time
	for a.trim(r); r.bytes > recipeWindow; a.trim(r) {
		if late == nil {
			late = time.After(lagPatience)
		}
		changed := r.changed
		a.mu.Unlock()
		select {
		case <-changed:
		case <-late:
			late = nil
			a.mu.Lock()
			r.drop()
			a.notify(r)
			continue
		case <-ctx.Done():
		}
		a.mu.Lock()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// trim gives up the blocks that every reader is past. Called with mu held.
func (a *recipes) trim(r *recipe) {
	past := len(r.blocks)
	for d := range r.readers {
		if !d.lagged {
			past = min(past, d.at)
		}
	}
	for i := past - 1; i >= 0 && r.blocks[i] != nil; i-- {
		r.bytes -= int64(len(r.blocks[i]))
		a.bytes -= int64(len(r.blocks[i]))
		r.blocks[i] = nil
	}
}

// drop gives up the readers that hold up others. Called with mu held.
func (r *recipe) drop() {
	least, most := len(r.blocks), 0
	for d := range r.readers {
		if !d.lagged {
			least, most = min(least, d.at), max(most, d.at)
		}
	}
	for d := range r.readers {
		if d.at == least && least < most {
			d.lagged = true
		}
	}
}

// errLagged ends a reader that others waited for.
var errLagged = errors.New("the client reads too slowly: others wait for the same answer")

// next returns the next block, io.EOF after the last. tell hears the progress made while it waits.
func (d *reader) next(ctx context.Context, tell func(string)) ([]byte, error) {
	a, r := d.all, d.recipe
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		if text := d.progress(); len(text) > 0 {
			a.mu.Unlock()
			for _, line := range text {
				tell(line)
			}
			a.mu.Lock()
			continue
		}
		switch {
		case d.lagged:
			return nil, errLagged
		case d.at < len(r.blocks):
			block := r.blocks[d.at]
			d.at++
			if r.outgrown && !r.done {
				a.notify(r)
			}
			return block, nil
		case r.err != nil:
			return nil, r.err
		case r.done:
			return nil, io.EOF
		}
		changed := r.changed
		a.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		a.mu.Lock()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// ready reports whether next would return at once.
func (d *reader) ready() bool {
	d.all.mu.Lock()
	defer d.all.mu.Unlock()
	return d.at < len(d.recipe.blocks) || d.recipe.done
}

// progress returns what is to be told. Called with mu held.
func (d *reader) progress() []string {
	r := d.recipe
	text := r.lines[d.told:len(r.lines):len(r.lines)]
	d.told = len(r.lines)
	if r.now != "" && r.now != d.now {
		text = append(text, r.now)
	}
	d.now = r.now
	return text
}

// tell adds a line of progress for all readers: one that ends in a line feed
// stays, and any other is overwritten by the next.
func (a *recipes) tell(r *recipe, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if text[len(text)-1] == '\n' {
		r.lines, r.now = append(r.lines, text), ""
	} else {
		r.now = text
	}
	a.notify(r)
}

// source returns the name of the pack that ranges come from.
func (d *reader) source(i int) string {
	d.all.mu.Lock()
	defer d.all.mu.Unlock()
	return d.recipe.sources[i]
}

// result returns what a pack came to, once next has returned io.EOF.
func (d *reader) result() sent {
	d.all.mu.Lock()
	defer d.all.mu.Unlock()
	return d.recipe.sent
}
