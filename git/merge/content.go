package merge

import (
	"errors"

	"github.com/ingot-forge/ingot/git"
)

// content merges three versions of a file, of which both sides' are of one type.
// Markers are longer than usual by extra.
func (m *merger) content(path string, v [3]Version, from [3]string, extra int) (merged Version, clean bool, err error) {
	base, ours, theirs := v[0], v[1], v[2]
	clean = true
	if ours.Mode == theirs.Mode || ours.Mode == base.Mode {
		merged.Mode = theirs.Mode
	} else {
		merged.Mode = ours.Mode
		clean = theirs.Mode == base.Mode
	}
	isAlike := sameType(base.Mode, ours.Mode) // otherwise there is no base to speak of
	switch {
	case ours.ID == theirs.ID || ours.ID == base.ID:
		merged.ID = theirs.ID
	case theirs.ID == base.ID:
		merged.ID = ours.ID
	case isRegular(ours.Mode):
		if !isAlike {
			v[0] = Version{}
		}
		id, ok, err := m.texts(path, v, from, extra)
		if err != nil {
			return merged, false, err
		}
		merged.ID = id
		clean = clean && ok
		m.note(AutoMerging, "Auto-merging "+path, path)
	case ours.Mode == git.ModeSubmodule:
		m.note(SubmoduleUnavailable, "Failed to merge submodule "+from[0]+" (not checked out)", from[0])
		clean = false
		switch {
		case m.depth == 0:
			merged.ID = ours.ID
		case isAlike:
			merged.ID = base.ID
		default:
			merged = base
		}
	case m.depth > 0:
		merged, clean = base, false
	case m.o.Favor == FavorTheirs:
		merged.ID = theirs.ID
	default:
		merged.ID = ours.ID
		clean = clean && m.o.Favor == FavorOurs
	}
	return merged, clean, nil
}

// texts merges three texts.
func (m *merger) texts(path string, v [3]Version, from [3]string, extra int) (id git.ID, clean bool, err error) {
	var data [3][]byte
	for side, v := range v {
		if v.ID.IsZero() {
			continue
		}
		if data[side], err = m.read(v.ID, git.KindBlob, from[side]); err != nil {
			return id, false, err
		}
	}
	labels := m.labels
	if from[0] != from[1] || from[1] != from[2] {
		for side := range labels {
			labels[side] += ":" + from[side]
		}
	}
	o := TextOptions{Base: labels[0], Ours: labels[1], Theirs: labels[2], Style: m.o.Style, MaxBytes: m.o.FileBytes}
	if m.depth == 0 {
		o.Favor = m.o.Favor
	}
	var attributes Attributes
	if m.o.Attributes != nil {
		attributes = m.o.Attributes(path)
	}
	o.MarkerSize = attributes.MarkerSize
	setDefault(&o.MarkerSize, DefaultMarkerSize)
	o.MarkerSize += extra
	if attributes.Driver == UnionDriver && m.depth == 0 {
		o.Favor = FavorUnion
	}
	var merged []byte
	conflicts := 0
	err = ErrBinary
	if attributes.Driver != BinaryDriver {
		merged, conflicts, err = Text(data[0], data[1], data[2], o)
	}
	if errors.Is(err, ErrBinary) {
		return m.binaries(path, v, labels, o.Favor)
	}
	if err != nil {
		return id, false, err
	}
	id, err = m.write(git.KindBlob, merged)
	return id, conflicts == 0, err
}

// binaries takes one of three files that cannot be merged by lines.
func (m *merger) binaries(path string, v [3]Version, labels [3]string, favor Favor) (id git.ID, clean bool, err error) {
	switch {
	case m.depth > 0:
		if v[0].ID.IsZero() {
			id, err = m.write(git.KindBlob, nil)
			return id, true, err
		}
		return v[0].ID, true, nil
	case favor == FavorOurs:
		return v[1].ID, true, nil
	case favor == FavorTheirs:
		return v[2].ID, true, nil
	}
	m.note(BinaryConflict, "warning: Cannot merge binary files: "+path+" ("+labels[1]+" vs. "+labels[2]+")", path)
	return v[1].ID, false, nil
}
