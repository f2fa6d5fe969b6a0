package repo

import (
	"slices"
	"testing"
)

func TestLargestStack(t *testing.T) {
	// A stack is written like "abc": layers a and b lie below c.
	type file struct {
		stack   string
		objects int64
	}
	for _, c := range []struct {
		what  string
		files []file
		want  []int
	}{
		{"nothing", nil, nil},
		{"one", []file{{"a", 5}}, []int{0}},
		{"three layers", []file{{"abc", 1}, {"a", 100}, {"ab", 10}}, []int{1, 2, 0}},
		{"the middle is missing", []file{{"a", 100}, {"abc", 10}}, []int{0}},
		{"the bottom is missing", []file{{"ab", 100}, {"abc", 10}}, nil},
		{"two stacks, the larger", []file{{"a", 100}, {"b", 60}, {"bc", 50}}, []int{1, 2}},
		{"two stacks on one bottom", []file{{"a", 100}, {"ab", 60}, {"ac", 50}, {"acd", 20}}, []int{0, 2, 3}},
		{"the middle lies on another", []file{{"a", 100}, {"xb", 60}, {"abc", 50}}, []int{0}},
		{"equal packs, one of which lies on another", []file{{"a", 100}, {"xb", 60}, {"ab", 60}, {"abc", 5}}, []int{0, 2, 3}},
		{"empty layers are no gain", []file{{"a", 100}, {"ab", 0}}, []int{0}},
	} {
		var layers []layer
		for place, f := range c.files {
			l := layer{place: place, objects: f.objects}
			for i := range f.stack {
				l.stack = append(l.stack, []byte(f.stack[i:i+1]))
			}
			layers = append(layers, l)
		}
		if got := largestStack(layers); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}
