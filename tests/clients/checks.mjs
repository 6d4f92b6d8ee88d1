// SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
// checks.mjs - what the scripts here share: a line for each check, people, versions.
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import cryptoPackage from '@dcl/crypto'
import { createUnsafeIdentity } from '@dcl/crypto/dist/crypto.js'

export const { Authenticator } = cryptoPackage

let failed = 0
let held = 0

// One claim. `why` is shown where it is not so.
export function hold(what, condition, why = '') {
  if (condition) held++
  else failed++
  if (!condition) console.log(`FAILED  ${what}${why === '' ? '' : `: ${why}`}`)
  return Boolean(condition)
}

export function same(what, found, expected) {
  return hold(what, isDeepStrictEqual(found, expected), `${JSON.stringify(found)}, not ${JSON.stringify(expected)}`)
}

// An error in a step fails that step alone.
export async function step(what, run) {
  const before = failed
  try {
    await run()
  } catch (error) {
    hold(what, false, String(error?.cause ?? error?.stack ?? error))
  }
  console.log(`${failed === before ? 'ok' : 'FAILED'}  ${what}`)
}

export function finish() {
  console.log(`node ${process.version}: ${held} checks held, ${failed} failed`)
  process.exit(failed || held === 0 ? 1 : 0)
}

// Of what is installed; null when it is not.
export function version(name) {
  try {
    return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version
  } catch {
    return null
  }
}

// A person: a wallet, and an identity that it has let sign for ten minutes.
export async function person() {
  const wallet = createUnsafeIdentity()
  const sign = async (message) => Authenticator.createSignature(wallet, message)
  const identity = await Authenticator.initializeAuthChain(wallet.address, createUnsafeIdentity(), 10, sign)
  return { address: wallet.address, identity, sign: (payload) => Authenticator.signPayload(identity, payload) }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// Until `ask` gives something; at most `seconds`.
export async function until(what, seconds, ask) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const found = await ask()
    if (found) return found
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} seconds`)
    await sleep(200)
  }
}
