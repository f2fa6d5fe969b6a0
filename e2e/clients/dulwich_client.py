"""Clone, commit and push with dulwich: dulwich_client.py URL TOKEN DIR"""
import os
import sys

from dulwich import porcelain

url, token, work = sys.argv[1:4]
auth = dict(username="x", password=token)
repo = porcelain.clone(url, work, errstream=porcelain.NoneStream(), **auth)
print("cloned", repo.head().decode())

with open(os.path.join(work, "dulwich.txt"), "w") as f:
    f.write("written through dulwich\n" * 50)
porcelain.add(repo, [os.path.join(work, "dulwich.txt")])
commit = porcelain.commit(repo, b"from dulwich\n", author=b"Dul Wich <dulwich@example.org>", committer=b"Dul Wich <dulwich@example.org>")
porcelain.push(repo, url, b"HEAD:refs/heads/dulwich", errstream=porcelain.NoneStream(), outstream=porcelain.NoneStream(), **auth)
print("pushed", commit.decode())

refs = porcelain.fetch(repo, url, errstream=porcelain.NoneStream(), outstream=porcelain.NoneStream(), **auth).refs
assert refs[b"refs/heads/dulwich"] == commit, refs
