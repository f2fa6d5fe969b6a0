// Package e2e holds no code of the product: its tests run the built program as
// its users do, with stock git and other git clients, over HTTP and SSH.
//
//   - testdata/script holds txtar scripts, one a feature; each gets a server.
//   - clients holds small programs that drive go-git, libgit2, dulwich and isomorphic-git.
//   - The crash tests kill -9 the server, or fill its disk, during pushes.
//   - The hostile tests send what no well-meant client sends.
package e2e
