// SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
// entities.mjs - one of each kind of entity, as @dcl/schemas wants its metadata, made into
// a deployment by dcl-catalyst-client. Pointers are random, so that scripts can be run over
// and over against one server.
import { randomBytes, randomInt } from 'node:crypto'
import { Emote, Outfits, Profile, Scene, Wearable } from '@dcl/schemas'
import catalyst from 'dcl-catalyst-client'
import { hold } from './checks.mjs'

const { DeploymentBuilder } = catalyst
const text = (value) => new TextEncoder().encode(value)

// The smallest PNG there is: one transparent pixel.
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64'
)

const colour = (r) => ({ color: { r, g: 0.30000000000000004, b: 1e-7 } })
const male = 'urn:decentraland:off-chain:base-avatars:BaseMale'

// `count` parcels in a row, somewhere.
export function parcels(count) {
  const x = randomInt(-150, 150)
  const y = randomInt(-150, 150)
  return Array.from({ length: count }, (_, i) => `${x + i},${y}`)
}

export function sceneMetadata(pointers, title = 'A scene “of ours” \u2603') {
  return {
    main: 'bin/game.js',
    scene: { base: pointers[0], parcels: pointers },
    display: { title, navmapThumbnail: 'images/thumbnail.png' },
    tags: ['test'],
    spawnPoints: [{ name: 'here', default: true, position: { x: [0.5, 1.5], y: [0], z: [1e21] } }],
    source: { version: 1, origin: 'builder', projectId: 'b8c1', layout: { rows: 1, cols: 2 } },
    // What JSON leaves open and the server must give back as it came.
    extra: { '10': 'integer-like', b: null, a: [1.10, 'é\u0001/'], empty: {} }
  }
}

export function sceneFiles() {
  return new Map([
    ['bin/game.js', text('console.log("hello")')],
    ['images/thumbnail.png', png],
    ['models/large.glb', randomBytes(700000)], // several chunks of a CID
    ['empty.txt', new Uint8Array(0)]
  ])
}

export function profileMetadata(address, name = 'Ada') {
  return {
    avatars: [
      {
        userId: address.toLowerCase(),
        ethAddress: address.toLowerCase(),
        name,
        description: 'someone',
        hasClaimedName: false,
        hasConnectedWeb3: true,
        tutorialStep: 256,
        version: 1,
        links: [{ title: 'home', url: 'https://example.org/ada' }],
        avatar: {
          bodyShape: male,
          eyes: colour(0.1),
          hair: colour(0.2),
          skin: colour(1),
          wearables: ['urn:decentraland:off-chain:base-avatars:eyebrows_00'],
          emotes: [{ slot: 0, urn: 'handsair' }]
        }
      }
    ]
  }
}

function item(urn) {
  return {
    id: urn,
    name: 'An item',
    description: 'of a collection',
    i18n: [{ code: 'en', text: 'An item' }],
    thumbnail: 'thumbnail.png',
    image: 'image.png',
    collectionAddress: urn.split(':')[4],
    rarity: 'epic',
    metrics: { triangles: 1, materials: 1, textures: 1, meshes: 1, bodies: 1, entities: 1 }
  }
}

const itemUrn = () => `urn:decentraland:matic:collections-v2:0x${randomBytes(20).toString('hex')}:0`
const itemFiles = () =>
  new Map([
    ['male/model.glb', randomBytes(1000)],
    ['thumbnail.png', png],
    ['image.png', png]
  ])
const representation = { bodyShapes: [male], mainFile: 'male/model.glb', contents: ['male/model.glb'] }

function wearable() {
  const urn = itemUrn()
  const data = {
    replaces: [],
    hides: [],
    tags: ['hat'],
    category: 'hat',
    representations: [{ ...representation, overrideHides: [], overrideReplaces: [] }]
  }
  return { type: 'wearable', pointers: [urn], metadata: { ...item(urn), data }, files: itemFiles(), schema: Wearable }
}

function emote() {
  const urn = itemUrn()
  const emoteDataADR74 = { category: 'dance', tags: ['new'], loop: true, representations: [representation] }
  return { type: 'emote', pointers: [urn], metadata: { ...item(urn), emoteDataADR74 }, files: itemFiles(), schema: Emote }
}

function outfits(address) {
  const outfit = { bodyShape: male, eyes: colour(0), hair: colour(0.5), skin: colour(1), wearables: [] }
  const metadata = { outfits: [{ slot: 0, outfit }], namesForExtraSlots: [] }
  return { type: 'outfits', pointers: [`${address.toLowerCase()}:outfits`], metadata, schema: Outfits }
}

function store(address) {
  const urn = `urn:decentraland:off-chain:marketplace-stores:${address.toLowerCase()}`
  const metadata = { id: urn, owner: address.toLowerCase(), description: 'a store', version: 1, links: [], images: [] }
  return { type: 'store', pointers: [urn], metadata }
}

// One of each, of this person.
export function oneOfEach(address) {
  const pointers = parcels(2)
  return [
    { type: 'scene', pointers, metadata: sceneMetadata(pointers), files: sceneFiles(), schema: Scene },
    { type: 'profile', pointers: [address.toLowerCase()], metadata: profileMetadata(address), schema: Profile },
    wearable(),
    emote(),
    outfits(address),
    store(address)
  ]
}

// { entityId, files, authChain }: what deploy() takes, signed by who it says.
export async function build(who, { schema, ...entity }) {
  if (schema) hold(`${entity.type}: @dcl/schemas`, schema.validate(entity.metadata), JSON.stringify(schema.validate.errors))
  const built = await DeploymentBuilder.buildEntity({ timestamp: Date.now(), ...entity })
  return { ...built, authChain: who.sign(built.entityId) }
}
