package merge

import "strings"

// relate brings together the versions of each file that was renamed, under its
// new path. The pairs are by old path.
func (m *merger) relate(moved []*pair) error {
	for i := 0; i < len(moved); i++ {
		p := moved[i]
		old, new := m.paths[p.oldPath], m.paths[p.newPath]
		if old == nil || old.clean || old.stages == nil {
			continue // the other side left it alone, or it was moved along
		}
		if i+1 < len(moved) && moved[i+1].oldPath == p.oldPath {
			i++
			if err := m.renamedTwice(p.oldPath, p.newPath, moved[i].newPath); err != nil {
				return err
			}
			continue
		}
		if new == nil || new.clean || new.stages == nil {
			continue
		}
		if err := m.renamedOnce(p, old, new); err != nil {
			return err
		}
	}
	return nil
}

// renamedTwice relates a file that both sides renamed.
func (m *merger) renamedTwice(path, ours, theirs string) error {
	base, a, b := m.paths[path], m.paths[ours], m.paths[theirs]
	for _, e := range []*entry{a, b} {
		if e == nil || e.clean || e.stages == nil {
			return nil
		}
	}
	if ours == theirs {
		a.versions[0] = base.versions[0]
		a.files |= 1
		base.absent, base.clean = true, true
		return nil
	}
	before := a.versions[1]
	merged, clean, err := m.content(path, [3]Version{base.versions[0], before, b.versions[2]},
		[3]string{path, ours, theirs}, 1+2*m.depth)
	if err != nil {
		return err
	}
	a.versions[1] = merged
	if clean || merged != before {
		b.versions[2] = merged
	} // else it is binary, and each side keeps its own
	a.unsettled, b.unsettled, base.unsettled = true, true, true
	m.note(RenameRename, "CONFLICT (rename/rename): "+path+" renamed to "+ours+" in "+m.labels[1]+" and to "+
		theirs+" in "+m.labels[2]+".", path, ours, theirs)
	return nil
}

// renamedOnce relates a file that one side renamed.
func (m *merger) renamedOnce(p *pair, old, new *entry) error {
	side, other := p.side, 3-p.side
	deleted := old.files == 1 // by the other side
	collides := new.files&(1<<other) != 0
	retyped := !deleted && isRegular(old.versions[other].Mode) != isRegular(new.versions[side].Mode)
	if retyped && collides {
		// The other side renamed it, too, and put something else at the old path.
		collides = false
	}
	switch {
	case collides && !deleted:
		from := [3]string{p.oldPath, p.oldPath, p.oldPath}
		from[side] = p.newPath
		versions := old.versions
		versions[side] = new.versions[side]
		merged, clean, err := m.content(p.oldPath, versions, from, 1+2*m.depth)
		if err != nil {
			return err
		}
		new.versions[side] = merged
		if !clean {
			m.note(RenameCollides, "CONFLICT (rename involved in collision): rename of "+p.oldPath+" -> "+p.newPath+
				" has content conflicts AND collides with another path; this may result in nested conflict markers.",
				p.newPath, p.oldPath)
		}
	case collides:
		m.noteRenameDelete(p, new)
	default:
		new.versions[0] = old.versions[0]
		new.files |= 1
		new.from[0] = p.oldPath
		switch {
		case retyped:
			old.versions[0] = Version{}
			old.files &^= 1
			return nil
		case deleted:
			m.noteRenameDelete(p, new)
		default:
			new.versions[other] = old.versions[other]
			new.files |= 1 << other
			new.from[other] = p.oldPath
		}
	}
	if !retyped {
		old.absent, old.clean = true, true
	}
	return nil
}

func (m *merger) noteRenameDelete(p *pair, new *entry) {
	new.unsettled = true
	m.note(RenameDelete, strings.Join([]string{"CONFLICT (rename/delete):", p.oldPath, "renamed to", p.newPath, "in",
		m.labels[p.side] + ", but deleted in", m.labels[3-p.side] + "."}, " "), p.newPath, p.oldPath)
}
