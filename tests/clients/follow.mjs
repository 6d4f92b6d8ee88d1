// SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
// follow.mjs - @dcl/snapshots-fetcher, unmodified, brings one node's entities to another,
// as the nodes of the network do: from its snapshots, then from its pointer-changes. What
// it brings is deployed on the other node; in the end both answer alike.
//
//   node follow.mjs FROM-URL TO-URL
//
// Both must let entities be deployed that are weeks old (service.content.deployment-age),
// since today's are in no snapshot yet. Snapshots are made every six hours and when `landlog
// react` starts, so start it anew every few seconds meanwhile.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFetchComponent } from '@dcl/fetch-component'
import storages from '@dcl/catalyst-storage'
import follower from '@dcl/snapshots-fetcher'
import { createJobQueue } from '@dcl/snapshots-fetcher/dist/job-queue-port.js'
import catalyst from 'dcl-catalyst-client'
import { finish, hold, person, same, sleep, step, until, version } from './checks.mjs'
import { build, oneOfEach, parcels, sceneFiles, sceneMetadata } from './entities.mjs'

const [from, to] = process.argv.slice(2, 4).map((url) => `${url}/content`)
if (!to) {
  console.error('usage: node follow.mjs FROM-URL TO-URL')
  process.exit(2)
}
const fetcher = createFetchComponent()
const source = catalyst.createContentClient({ url: from, fetcher })
const target = catalyst.createContentClient({ url: to, fetcher })
const name = `@dcl/snapshots-fetcher ${version('@dcl/snapshots-fetcher')}`
const day = 24 * 3600 * 1000
const folder = mkdtempSync(join(tmpdir(), 'landlog-follow-'))

const errors = []
const logger = { log() {}, info() {}, debug() {}, warn() {}, error: (...words) => errors.push(JSON.stringify(words)) }
const logs = { getLogger: () => logger }
const metrics = { increment() {}, observe() {}, startTimer: () => ({ end() {} }) }
const processed = new Set()
const brought = { snapshots: new Set(), changes: new Set() }

const components = {
  logs,
  metrics,
  fetcher,
  downloadQueue: createJobQueue({ autoStart: true, concurrency: 4, timeout: 60000 }),
  storage: await storages.createFolderBasedFileSystemContentStorage({ fs: storages.createFsComponent(), logs }, folder),
  processedSnapshotStorage: {
    filterProcessedSnapshotsFrom: async (hashes) => new Set(hashes.filter((hash) => processed.has(hash))),
    markSnapshotAsProcessed: async (hash) => void processed.add(hash)
  },
  snapshotStorage: { has: async () => false },
  deployer: { scheduleEntityDeployment: bring, onIdle: async () => {}, prepareForDeploymentsIn: async () => {} }
}

async function bytesOf(hash) {
  const chunks = []
  for await (const chunk of await (await components.storage.retrieve(hash)).asStream()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

// An entity and its files, downloaded by the fetcher, deployed on the other node.
async function bring(entity, servers) {
  const file = await follower.downloadEntityAndContentFiles(components, entity.entityId, servers, new Map(), folder, 3, 100)
  const files = new Map()
  for (const hash of [entity.entityId, ...(file.content ?? []).map((c) => c.hash)]) files.set(hash, await bytesOf(hash))
  await until(`${entity.entityType} ${entity.entityId} is taken`, 30, async () => {
    const response = await target.deploy({ entityId: entity.entityId, files, authChain: entity.authChain })
    const text = await response.text()
    if (response.status !== 200 && !text.includes('rate limited')) throw new Error(`${response.status} ${text}`)
    return response.status === 200
  })
  brought[entity.snapshotHash ? 'snapshots' : 'changes'].add(entity.entityId)
  await entity.markAsDeployed?.()
}

const who = await person()
const deployments = []

async function deployHere(deployment) {
  const response = await source.deploy(deployment)
  hold('it is accepted', response.status === 200, `${response.status} ${await response.text()}`)
  deployments.push(deployment)
}

await step(`${name}: entities of today, and some that are days and weeks old`, async () => {
  for (const entity of oneOfEach(who.address)) await deployHere(await build(who, entity))
  for (const age of [1.5 * day, 3 * day, 8 * day, 40 * day]) {
    const pointers = parcels(2)
    const scene = { type: 'scene', pointers, metadata: sceneMetadata(pointers), files: sceneFiles() }
    await deployHere(await build(who, { ...scene, timestamp: Math.floor(Date.now() - age) }))
  }
})

const old = () => deployments.slice(-4).map((d) => d.entityId)

await step(`${name}: the old ones come into snapshots`, async () => {
  await until('snapshots with all of them', 60, async () => {
    const snapshots = await fetch(`${from}/snapshots`).then((r) => (r.ok ? r.json() : []))
    const texts = await Promise.all(snapshots.map((s) => fetch(`${from}/contents/${s.hash}`).then((r) => r.text())))
    snapshots.forEach((s, i) => {
      const lines = texts[i].trimEnd().split('\n')
      if (texts[i] === '') return // replaced meanwhile
      same('the first line', lines[0], '### Decentraland json snapshot')
      same('the number of entities', lines.length - 1, s.numberOfEntities)
    })
    return old().every((id) => texts.some((text) => text.includes(id)))
  })
})

const synchronizer = await follower.createSynchronizer(components, {
  bootstrapReconnection: { reconnectTime: 500 },
  syncingReconnection: { reconnectTime: 500 },
  tmpDownloadFolder: folder,
  requestMaxRetries: 3,
  requestRetryWaitTime: 100,
  pointerChangesWaitTime: 200
})

async function bothAlike() {
  for (const { entityId } of deployments) {
    const [here] = await source.fetchEntitiesByIds([entityId])
    const [there] = await target.fetchEntitiesByIds([entityId])
    if (!here || !there) hold(`${entityId} is on both`, false)
    else same('both answer alike', there, here)
  }
}

await step(`${name}: all of it comes to the other node`, async () => {
  const job = await synchronizer.syncWithServers(new Set([from]))
  await job.onSyncFinished()
  hold('the old ones came from snapshots', old().every((id) => brought.snapshots.has(id)), [...brought.snapshots].join(' '))
  hold('the new ones from pointer-changes', deployments.slice(0, -4).every((d) => brought.changes.has(d.entityId)), [...brought.changes].join(' '))
  hold('the snapshots are done with', processed.size > 0)
  await bothAlike()
})

await step(`${name}: what is deployed now follows within seconds`, async () => {
  for (let i = 0; i < 20; i++) {
    const pointers = parcels(1)
    await deployHere(await build(who, { type: 'scene', pointers, metadata: sceneMetadata(pointers, `scene ${i}`), files: new Map([...sceneFiles()].slice(0, 2)) }))
  }
  await until('the last ones', 30, () => deployments.every((d) => brought.changes.has(d.entityId) || brought.snapshots.has(d.entityId)))
  await bothAlike()
  same('nothing was complained of', errors, [])
})

// A page at a time: the walk must advance, forwards and backwards, and miss no row.
await step('pointer-changes in pages of 3, as a follower of few means walks', async () => {
  for (const order of ['ASC', 'DESC']) {
    const seen = []
    let url = `${from}/pointer-changes?sortingField=local_timestamp&sortingOrder=${order}&limit=3`
    for (let pages = 0; url && pages < 10000; pages++) {
      const page = await (await fetch(url)).json()
      seen.push(...page.deltas.map((d) => d.entityId))
      url = page.pagination.next && new URL(page.pagination.next, url).toString()
    }
    same(`${order}: no row twice`, new Set(seen).size, seen.length)
    hold(`${order}: none is missed`, deployments.every((d) => seen.includes(d.entityId)), `${seen.length} seen`)
  }
})

await Promise.race([synchronizer.stop(), sleep(5000)])
rmSync(folder, { recursive: true, force: true })
finish()
