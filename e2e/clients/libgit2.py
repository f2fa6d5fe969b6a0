"""Clone, commit and push with libgit2: libgit2.py URL TOKEN DIR"""
import os
import sys

import pygit2

url, token, work = sys.argv[1:4]
callbacks = pygit2.RemoteCallbacks(credentials=pygit2.UserPass("x", token))
repo = pygit2.clone_repository(url, work, callbacks=callbacks)
print("cloned", repo.head.target)

with open(os.path.join(work, "libgit2.txt"), "w") as f:
    f.write("written through libgit2\n" * 50)
repo.index.add("libgit2.txt")
repo.index.write()
who = pygit2.Signature("L. Git", "libgit2@example.org", 1700000000, 60)
commit = repo.create_commit("refs/heads/libgit2", who, who, "from libgit2\n", repo.index.write_tree(), [repo.head.target])
repo.remotes["origin"].push(["refs/heads/libgit2"], callbacks=callbacks)
print("pushed", commit)

repo.remotes["origin"].fetch(callbacks=callbacks)
assert str(repo.references["refs/remotes/origin/libgit2"].target) == str(commit)
try:
    other = pygit2.RemoteCallbacks(credentials=pygit2.UserPass("x", "wrong"))
    pygit2.clone_repository(url, work + "-wrong", callbacks=other)
    sys.exit("a wrong token was let in")
except pygit2.GitError as refused:
    print("refused", refused)
