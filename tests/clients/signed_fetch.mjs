// SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
// signed_fetch.mjs - published clients, unmodified from npm, make signed requests.
//
//   node signed_fetch.mjs BASE-URL        e.g. http://127.0.0.1:8080
//
// Each makes a friendship request and lists friends under /social, with metadata whose
// letters are of mixed case (the two published forms of the signature differ there) and
// beyond ASCII. A line for each check; the exit status is 0 when all of them held.
//
// The clients: decentraland-crypto-fetch 2 signs the older form. Version 3 signs the
// current form; where the registry does not have it, the current form is signed with
// @dcl/crypto, which is what version 3 calls.
import { readFileSync } from 'node:fs'
import cryptoPackage from '@dcl/crypto'
import { createUnsafeIdentity } from '@dcl/crypto/dist/crypto.js'

const { Authenticator } = cryptoPackage
const base = process.argv[2]
if (!base) {
  console.error('usage: node signed_fetch.mjs BASE-URL')
  process.exit(2)
}

// Of what is installed; null when it is not.
function version(name) {
  try {
    return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version
  } catch {
    return null
  }
}

async function login() {
  const owner = createUnsafeIdentity()
  const signer = async (message) => Authenticator.createSignature(owner, message)
  return Authenticator.initializeAuthChain(owner.address, createUnsafeIdentity(), 10, signer)
}

async function published(name) {
  const module = await import(name)
  const fetcher = module.default?.default ?? module.default
  return (url, init) => fetcher(url, init)
}

// The current form: method, path and time in lower case, the metadata as it is.
function currentForm(url, { identity, metadata, ...init }) {
  const timestamp = String(Date.now())
  const data = JSON.stringify(metadata ?? {})
  const start = [init.method ?? 'GET', new URL(url).pathname, timestamp].join(':').toLowerCase()
  const chain = Authenticator.signPayload(identity, `${start}:${data}`)
  const headers = { ...init.headers, 'x-identity-timestamp': timestamp, 'x-identity-metadata': data }
  chain.forEach((link, i) => (headers[`x-identity-auth-chain-${i}`] = JSON.stringify(link)))
  return fetch(url, { ...init, headers })
}

const clients = [
  [`decentraland-crypto-fetch ${version('crypto-fetch-2')}`, await published('crypto-fetch-2')],
  [`@dcl/crypto ${version('@dcl/crypto')}, current form`, currentForm]
]
if (version('crypto-fetch-3'))
  clients.push([`decentraland-crypto-fetch ${version('crypto-fetch-3')}`, await published('crypto-fetch-3')])

let failed = 0
async function check(what, expected, request) {
  let status = 0
  let text
  try {
    const response = await request()
    status = response.status
    text = await response.text()
  } catch (error) {
    text = String(error.cause ?? error)
  }
  const ok = expected === 'success' ? status >= 200 && status < 300 : status === expected
  if (!ok) failed++
  console.log(`${ok ? 'ok' : 'FAILED'}  ${what}: ${status}${ok ? '' : ` ${text}`}`)
}

const scene = {
  signer: 'dcl:explorer',
  sceneId: 'bafkreigSomeTest',
  parcel: '10,-20',
  isGuest: false,
  realm: { hostname: 'realm.example.org', protocol: 'v3', serverName: 'LocalPreview' }
}

for (const [name, signedFetch] of clients) {
  const identity = await login()
  const friend = createUnsafeIdentity().address
  const post = (metadata, extra = {}) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ action: 'request', to: friend }),
    identity,
    metadata,
    ...extra
  })

  await check(`${name}: POST, metadata of mixed case`, 'success', () =>
    signedFetch(`${base}/social/v1/friendships`, post(scene))
  )
  await check(`${name}: GET with a query`, 'success', () =>
    signedFetch(`${base}/social/v1/friends?limit=10`, { identity, metadata: scene })
  )
  await check(`${name}: GET without metadata`, 'success', () =>
    signedFetch(`${base}/social/v1/friends`, { identity })
  )
  await check(`${name}: GET, metadata beyond ASCII`, 'success', () =>
    signedFetch(`${base}/social/v1/friends`, { identity, metadata: { name: 'ÉLÈVE Straße' } })
  )
  // The same client must be refused where it should be, or the checks above prove nothing.
  const stranger = await login()
  const forged = { ...identity, ephemeralIdentity: stranger.ephemeralIdentity }
  await check(`${name}: another's ephemeral key is refused`, 401, () =>
    signedFetch(`${base}/social/v1/friends`, { identity: forged, metadata: scene })
  )
}
process.exit(failed ? 1 : 0)
