import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AS_SETTINGS, asConfigFile, isInConfigFile, placeWithin } from './notation.ts'

const CONFIG = asConfigFile(['app', 'args', 'env', 'dependsOn', 'memoryLimit'], ['maxDelay', 'timeout'])
const inConfig = (message: string): string => CONFIG.say({ place: '', message }).message

const said: readonly (readonly [inSettings: string, inConfigFile: string])[] = [
  ['APP is missing: node must be told what to run.', 'app is missing: node must be told what to run.'],
  ['Add "APP": "frontend/server.js"', 'Add "app": "frontend/server.js"'],
  ['DEPENDS_ON must be True, False or None.', 'dependsOn must be true, false or null.'],
  ['Lower MEMORY_LIMIT, or max_delay', 'Lower memoryLimit, or maxDelay'],
  ['ARGS must be a dictionary, not a list.', 'args must be an object, not a list.'],
  ['{"web": {"ENV": {"A": "b"}}}', '{"web": {"env": {"A": "b"}}}'],
  // The user's own words.
  ['There is no file /srv/APP/ENV.', 'There is no file /srv/APP/ENV.'],
  ['"ENV" has no key "APP", and "a dictionary" is none.', '"ENV" has no key "APP", and "a dictionary" is none.'],
  ['Set DJANGO_SETTINGS_MODULE, or MY_APP', 'Set DJANGO_SETTINGS_MODULE, or MY_APP'],
]

for (const [settings, config] of said) {
  test(`${settings} is said of a config file in its words`, () => {
    assert.equal(inConfig(settings), config)
    assert.equal(AS_SETTINGS.say({ place: '', message: settings }).message, settings)
  })
}

test('a place within a process is written as its place is', () => {
  const inner = '["DEPENDS_ON"]["my-web"]'
  assert.equal(placeWithin('PRODUCTION_PROCESSES["web"]', inner), `PRODUCTION_PROCESSES["web"]${inner}`)
  assert.equal(placeWithin('processes.web', inner), 'processes.web.dependsOn["my-web"]')
  assert.equal(placeWithin('processes["a b"]', ''), 'processes["a b"]')
  assert.equal(
    CONFIG.say({ place: 'processes.web["args"]["log-level"]', message: '' }).place,
    'processes.web.args["log-level"]',
  )
  assert.deepEqual(['processes', 'processes.x', 'defaults.env', 'processesOf', 'DEBUG'].map(isInConfigFile), [
    true,
    true,
    true,
    false,
    false,
  ])
})
