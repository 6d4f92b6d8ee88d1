// SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
// content.mjs - dcl-catalyst-client, unmodified, deploys each kind of entity and reads it
// back by every call it has; @dcl/schemas and @dcl/crypto check what is sent and answered.
//
//   node content.mjs BASE-URL        e.g. http://127.0.0.1:8080
import { createFetchComponent } from '@dcl/fetch-component'
import { Entity, Profile } from '@dcl/schemas'
import catalyst from 'dcl-catalyst-client'
import { Authenticator, finish, hold, person, same, sleep, step, version } from './checks.mjs'
import { build, oneOfEach, parcels, profileMetadata, sceneFiles, sceneMetadata } from './entities.mjs'

const base = process.argv[2]
if (!base) {
  console.error('usage: node content.mjs BASE-URL')
  process.exit(2)
}
const url = `${base}/content`
const fetcher = createFetchComponent()
const client = catalyst.createContentClient({ url: `${url}/`, fetcher })
const lambdas = catalyst.createLambdasClient({ url: `${base}/lambdas`, fetcher })
const name = `dcl-catalyst-client ${version('dcl-catalyst-client')}`
const unknown = 'bafkreigaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'

// The pointers of an entity rest for some seconds after each deployment (the rate limit).
async function deploy(deployment) {
  for (let i = 0; ; i++) {
    const response = await client.deploy(deployment)
    const body = await response.json()
    if (response.ok || i === 60 || !JSON.stringify(body).includes('rate limited')) return { status: response.status, body }
    await sleep(500)
  }
}

async function accepted(deployment) {
  const { status, body } = await deploy(deployment)
  hold('it is accepted', status === 200 && Number.isInteger(body.creationTimestamp), `${status} ${JSON.stringify(body)}`)
  return body.creationTimestamp
}

const entityFile = (deployment) => JSON.parse(new TextDecoder().decode(deployment.files.get(deployment.entityId)))

// An entity as the server tells it: what the entity file says, and its id.
function isTheEntity(found, deployment) {
  const { content, ...rest } = entityFile(deployment)
  const { content: foundContent, ...foundRest } = found ?? {}
  same('the entity is what was deployed', foundRest, { ...rest, id: deployment.entityId })
  same('and its files', foundContent ?? [], content ?? [])
  hold('@dcl/schemas accepts it', Entity.validate(found), JSON.stringify(Entity.validate.errors))
}

async function readBack(deployment) {
  const { pointers } = entityFile(deployment)
  const byPointer = await client.fetchEntitiesByPointers(pointers.map((p) => p.toUpperCase()))
  same('one entity has these pointers', byPointer.length, 1)
  isTheEntity(byPointer[0], deployment)
  same('by id', (await client.fetchEntitiesByIds([unknown, deployment.entityId])).map((e) => e.id), [deployment.entityId])
  isTheEntity(await client.fetchEntityById(deployment.entityId), deployment)
  for (const [hash, bytes] of deployment.files) {
    const file = await client.downloadContent(hash, { attempts: 1 })
    hold(`file ${hash}`, Buffer.compare(file, Buffer.from(bytes)) === 0)
  }
}

// Who signed it, as others would check it: the chain that the server keeps. A form's text
// fields end their lines with CR LF, whatever the client gave to FormData.
async function audited(deployment) {
  const { type } = entityFile(deployment)
  const audit = await (await fetch(`${url}/audit/${type}/${deployment.entityId}`)).json()
  const sent = deployment.authChain.map((link) => ({ ...link, payload: link.payload.replaceAll('\n', '\r\n') }))
  same('the chain is kept as sent', audit.authChain, sent)
  const verdict = await Authenticator.validateSignature(deployment.entityId, audit.authChain, null)
  hold('@dcl/crypto accepts it', verdict.ok, verdict.message)
}

async function refused(what, deployment, message) {
  const { status, body } = await deploy(deployment)
  hold(`${what}: ${status} ${JSON.stringify(body)}`, status === 400 && JSON.stringify(body.errors ?? body.error).includes(message))
}

const who = await person()
let scene

for (const entity of oneOfEach(who.address)) {
  await step(`${name}: ${entity.type}, deployed and read back`, async () => {
    const deployment = await build(who, entity)
    if (entity.type === 'scene') scene = deployment
    const first = await accepted(deployment)
    await readBack(deployment)
    await audited(deployment)
    same('the same deployment again is the same', await accepted(deployment), first)
  })
}

await step(`${name}: what is there, asked for in many requests`, async () => {
  const hashes = [...scene.files.keys()]
  const strangers = Array.from({ length: 100 }, (_, i) => `bafkreig${'a'.repeat(48)}${String(i).padStart(3, 'a').replace(/[0189]/g, 'b')}`)
  const found = await client.isContentAvailable([...hashes, ...new Set(strangers)])
  const there = found.filter((f) => f.available).map((f) => f.cid)
  same('those of the scene', there.sort(), hashes.sort())
  same('each is answered', found.length, hashes.length + new Set(strangers).size)
})

await step(`${name}: files that are there are not sent again`, async () => {
  const pointers = parcels(1)
  const files = new Map([...sceneFiles()].filter(([file]) => file !== 'models/large.glb'))
  const deployment = await build(who, { type: 'scene', pointers, metadata: sceneMetadata(pointers), files })
  const form = await client.buildEntityFormDataForDeployment(deployment)
  const sent = [...form.keys()].filter((key) => key.startsWith('ba'))
  same('only the entity file is sent', sent, [deployment.entityId])
  await accepted(deployment)
  await readBack(deployment)
})

await step(`${name}: a newer scene on one of two parcels`, async () => {
  const both = parcels(2)
  const older = await build(who, { type: 'scene', pointers: both, metadata: sceneMetadata(both), files: sceneFiles() })
  await accepted(older)
  const newer = await build(who, { type: 'scene', pointers: [both[1]], metadata: sceneMetadata([both[1]]), files: sceneFiles() })
  await accepted(newer)
  await readBack(newer)
  same('the other parcel is empty', await client.fetchEntitiesByPointers([both[0]]), [])
  await client.fetchEntityById(older.entityId).then(
    () => hold('the older one is not active', false),
    (error) => hold('the older one is not active', String(error).includes('Failed to find an entity')))
  await audited(older)
})

await step(`${name}: several servers at once`, async () => {
  const { pointers } = entityFile(scene)
  const parallel = { urls: [url, `${base}/nothing/here`] }
  const found = await client.fetchEntitiesByIds([scene.entityId], { parallel })
  isTheEntity(found[0], scene)
  const verdict = await client.checkPointerConsistency(pointers[0], { parallel: { urls: [url] } })
  hold('the pointer is consistent', verdict.isConsistent && verdict.upToDateEntities[0].id === scene.entityId)
})

await step(`${name}: profiles over lambdas`, async () => {
  const other = await person()
  const metadata = profileMetadata(other.address, 'Grace')
  await accepted(await build(other, { type: 'profile', pointers: [other.address.toLowerCase()], metadata, schema: Profile }))
  const one = await lambdas.getAvatarDetails(other.address)
  // Snapshots are addresses of pictures there, which the schema of what is deployed has not.
  for (const { avatar } of one.avatars ?? []) delete avatar.snapshots
  hold('@dcl/schemas accepts it', Profile.validate(one), JSON.stringify(Profile.validate.errors))
  same('its name', one.avatars?.[0]?.name, 'Grace')
  const many = await lambdas.getAvatarsDetailsByPost({ ids: [who.address, other.address.toLowerCase()] })
  same('both', many.map((p) => p.avatars[0].ethAddress).sort(), [who.address, other.address].map((a) => a.toLowerCase()).sort())
})

// The same client must be refused where it should be, or the steps above prove nothing.
await step(`${name}: what is not right is refused`, async () => {
  const pointers = parcels(1)
  const metadata = sceneMetadata(pointers)
  const good = { type: 'scene', pointers, metadata, files: sceneFiles() }
  const stranger = await person()
  const forged = { ...who, sign: (payload) => Authenticator.signPayload({ ...who.identity, ephemeralIdentity: stranger.identity.ephemeralIdentity }, payload) }
  await refused('a forged chain', await build(forged, good), 'The signature is invalid.')
  await refused('too old', await build(who, { ...good, timestamp: Date.now() - 400 * 24 * 3600 * 1000 }), 'not recent enough')
  await refused('from the future', await build(who, { ...good, timestamp: Date.now() + 20 * 60 * 1000 }), 'too far in the future')
  await refused('bad metadata', await build(who, { ...good, metadata: { main: '' } }), 'The metadata for this entity type (scene) is not valid.')
  const lacking = await build(who, good)
  for (const hash of [...lacking.files.keys()]) if (hash !== lacking.entityId && !scene.files.has(hash)) lacking.files.delete(hash)
  await refused('a file is missing', lacking, `Couldn't fetch content file with hash: `)
  const more = await build(who, { ...good, timestamp: Date.now() + 1 })
  more.files.set('bafkreig6sfhegnp4okzecgx3v6gj6pohh5qzw6zjtrdqtggx64743rkmz5', new TextEncoder().encode(`stray ${Date.now()}`))
  await refused('a file nobody asked for', more, 'This hash was uploaded but is not referenced in the entity')
  same('nothing of it is there', await client.fetchEntitiesByPointers(pointers), [])
  await client.downloadContent(lacking.entityId, { attempts: 1 }).then(
    () => hold('no refused entity file is there', false),
    () => hold('no refused entity file is there', true))
})

finish()
