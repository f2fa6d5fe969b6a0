package mailmap_test

import (
	"fmt"

	"github.com/ingot-forge/ingot/git/mailmap"
)

func ExampleMap_Lookup() {
	m := mailmap.Parse([]byte("Ada Lovelace <ada@example.com> <ada@old.example>\n"))
	fmt.Println(m.Lookup("ada", "Ada@old.example"))
	// Output: Ada Lovelace ada@example.com
}
