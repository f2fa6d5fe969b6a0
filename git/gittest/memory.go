package gittest

import "github.com/ingot-forge/ingot/git"

// Put adds an object to a repository in memory, for examples.
func Put(objects git.Memory, kind git.Kind, data []byte) git.ID {
	id, err := git.NewHasher(git.SHA1).Hash(kind, data)
	if err != nil {
		panic(err)
	}
	o := objects[id]
	o.Kind, o.Data = kind, data
	objects[id] = o
	return id
}

// PutCommit adds a commit with one file.
func PutCommit(objects git.Memory, author, path, content, message string, seconds int64, parents ...git.ID) git.ID {
	blob := Put(objects, git.KindBlob, []byte(content))
	tree := Put(objects, git.KindTree, git.AppendTree(git.SHA1, nil, []git.Entry{{Mode: git.ModeBlob, Name: path, ID: blob}}))
	who := git.Signature{Name: author, Email: author + "@example.com", Seconds: seconds, Zone: "+0000"}
	return Put(objects, git.KindCommit, git.AppendCommit(git.SHA1, nil,
		&git.Commit{Tree: tree, Parents: parents, Author: who, Committer: who, Message: message}))
}
