package merge

// Whereto a directory was renamed is what most of its files say.

// guessDirectories counts what the files tell that have been paired so far.
func (f *finder) guessDirectories() {
	f.targetAt = map[string]int{}
	for i, t := range f.targets {
		if t.paired {
			f.count(t.pair)
		} else {
			f.targetAt[t.pair.newPath] = i
		}
	}
	for _, path := range f.s.known.keys {
		if to := f.s.known.to[path]; to != "" {
			f.countMove(path, to)
		}
	}
	f.guesses = map[string]string{}
	for dir, c := range f.s.dirCounts {
		f.guesses[dir] = c.highest()
	}
}

// guess returns the target that a file became if it went along with its directory.
func (f *finder) guess(path string) (at int, ok bool) {
	dir, ok := f.guesses[parent(path)]
	if !ok {
		return 0, false
	}
	// Of a directory that went to the root, git finds no file.
	at, ok = f.targetAt[dir+"/"+baseName(path)]
	return at, ok
}

func (f *finder) count(p *pair) { f.countMove(p.oldPath, p.newPath) }

// countMove counts that a file went from one directory to another, and with that those
// above, as far up as their names are the same.
func (f *finder) countMove(old, new string) {
	for first := true; ; first = false {
		oldName, newName := baseName(old), baseName(new)
		old = parent(old)
		why, removed := f.s.dirsRemoved[old]
		if !removed {
			return
		}
		new = parent(new)
		if !first && oldName != newName {
			return
		}
		if first || why == forItself {
			f.add(old, new)
		}
		if why == forNothing || old == "" || new == "" {
			return
		}
	}
}

func (f *finder) add(old, new string) {
	c := f.s.dirCounts[old]
	if c == nil {
		c = &counts{}
		f.s.dirCounts[old] = c
	}
	c.add(new)
}

// dropKnownDirectories leaves out the files that matter only for directories of which
// the majority has gone somewhere already.
func (f *finder) dropKnownDirectories() {
	removed := f.s.dirsRemoved
	for _, o := range f.sources {
		for dir := parent(o.Side().Path); dir != "" && removed[dir] != forNothing; dir = parent(dir) {
			f.add(dir, somewhere)
		}
	}
	for dir, c := range f.s.dirCounts {
		if removed[dir] == forItself && c.isDecided() {
			removed[dir] = forDirsAbove
		}
	}
	f.drop(func(p *pair) bool {
		if f.s.relevant[p.oldPath] != location {
			return false
		}
		for dir := parent(p.oldPath); removed[dir] != forNothing; dir = parent(dir) {
			if removed[dir] == forItself {
				return false
			}
		}
		f.s.relevant[p.oldPath] = noMore
		return true
	})
}

// isDecided reports whether a majority has gone to one place, wherever the rest
// went.
func (c *counts) isDecided() bool {
	first, second := 0, 0
	for name, n := range c.n {
		switch {
		case name == somewhere:
		case n >= first:
			first, second = n, first
		case n > second:
			second = n
		}
	}
	return first > second+c.n[somewhere]
}

// forgetDirectories drops what was counted only to find files.
func (f *finder) forgetDirectories() {
	for dir, c := range f.s.dirCounts {
		if f.s.dirsRemoved[dir] == forNothing {
			delete(f.s.dirCounts, dir)
		} else {
			delete(c.n, somewhere)
		}
	}
}
