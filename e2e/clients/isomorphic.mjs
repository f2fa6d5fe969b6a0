// Clone, commit and push with isomorphic-git: node isomorphic.mjs URL TOKEN DIR
import fs from 'node:fs'
import path from 'node:path'
import git from 'isomorphic-git'
import http from 'isomorphic-git/http/node'

const [url, token, dir] = process.argv.slice(2)
const remote = { fs, http, dir, url, onAuth: () => ({ username: 'x', password: token }), onAuthFailure: () => ({ cancel: true }) }

await git.clone(remote)
console.log('cloned', await git.resolveRef({ fs, dir, ref: 'HEAD' }))

fs.writeFileSync(path.join(dir, 'isomorphic.txt'), 'written through isomorphic-git\n'.repeat(50))
await git.add({ fs, dir, filepath: 'isomorphic.txt' })
const author = { name: 'Iso Morphic', email: 'iso@example.org', timestamp: 1700000000, timezoneOffset: 0 }
const commit = await git.commit({ fs, dir, message: 'from isomorphic-git\n', author })
const pushed = await git.push({ ...remote, remoteRef: 'refs/heads/isomorphic' })
if (!pushed.ok) throw new Error(JSON.stringify(pushed))
console.log('pushed', commit)

const shallow = dir + '-shallow'
await git.clone({ ...remote, dir: shallow, ref: 'isomorphic', singleBranch: true, depth: 1 })
const log = await git.log({ fs, dir: shallow })
if (log.length !== 1 || log[0].oid !== commit) throw new Error('shallow clone has ' + log.length + ' commits')
