import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { guard, guardToken, guardUrls, isSecretName, reveal, Secret } from './secret.ts'

const SECRET_NAMES = [
  ...[
    'password',
    'PASSWORD',
    'DB_PASSWORD',
    'PGPASSWORD',
    'MYSQL_PWD',
    'DB_PASS',
    'redis-pass',
    'passwd',
    'passphrase',
  ],
  ...['SECRET_KEY', 'CLIENT_SECRET', 'secretsauce', 'DJANGO_SECRET', 'credential', 'AWS_CREDENTIALS'],
  ...['token', 'API_TOKEN', 'auth-token', 'auth', 'basic_auth', 'basic-auth', 'SENTRY_DSN'],
  ...['api-key', 'API_KEY', 'APIKEY', 'stripe_apikey', 'AWS_ACCESS_KEY_ID', 'PRIVATE_KEY', 'privatekey'],
  ...['ssl-keyfile-password'],
]
const PLAIN_NAMES = [
  ...[
    'bind',
    'workers',
    'user',
    'PWD',
    'OLDPWD',
    'AUTHOR',
    'author-email',
    'tokenizer',
    'compass',
    'bypass',
    'KEYBOARD',
  ],
  // These say where it is, not what it is.
  ...['DB_PASSWORD_FILE', 'password-file', 'SECRET_PATH', 'credentials-dir', 'secretname', 'AUTH_FILE'],
]

test('a value may be a secret by its name', () => {
  assert.deepEqual(
    SECRET_NAMES.filter((name) => !isSecretName(name)),
    [],
  )
  assert.deepEqual(
    PLAIN_NAMES.filter((name) => isSecretName(name)),
    [],
  )
})

test('an empty value is no secret', () => {
  assert.equal(guard('DB_PASSWORD', ''), '')
})

const shown: readonly (readonly [text: string, shown: string])[] = [
  ['redis://:hunter2@localhost:6379/0', 'redis://:••••@localhost:6379/0'],
  ['postgres://shop:hunter2@db/shop', 'postgres://shop:••••@db/shop'],
  ['postgres+psycopg://shop:hunter2@db', 'postgres+psycopg://shop:••••@db'],
  ['amqp://a:hunter2@one//,amqp://b:hunter2@two//', 'amqp://a:••••@one//,amqp://b:••••@two//'],
  ['https://me:hunter@2@example.com/', 'https://me:••••@example.com/'],
  ['see http://me:hunter2@example.com and more', 'see http://me:••••@example.com and more'],
  ['HTTP://ME:hunter2@EXAMPLE', 'HTTP://ME:••••@EXAMPLE'],
]

for (const [text, expected] of shown) {
  test(`${text} is shown as ${expected}`, () => {
    const value = guardUrls(text)
    assert.equal(String(value), expected)
    assert.equal(reveal(value), text)
  })
}

test('text without a password of a URL is plain', () => {
  for (const text of [
    ...[
      '',
      'text',
      'redis://localhost:6379/0',
      'http://me@example.com/',
      'user:hunter2@host',
      'http://a:1/b@c',
      'a:b://c',
    ],
    ...['unix:/run/web.sock', '0.0.0.0:8000', 'w1@%h', 'x'.repeat(100_000)],
  ])
    assert.equal(guardUrls(text), text)
})

const tokens: readonly (readonly [token: string, shown: string])[] = [
  ['--password=hunter2', '--password=••••'],
  ['--basic-auth=me:hunter2', '--basic-auth=••••'],
  ['--password=', '--password='],
  ['--password', '--password'],
  ['--broker=redis://:hunter2@localhost', '--broker=redis://:••••@localhost'],
  ['--bind=0.0.0.0:8000', '--bind=0.0.0.0:8000'],
  ['redis://:hunter2@localhost', 'redis://:••••@localhost'],
  ['password=hunter2', 'password=hunter2'],
]

for (const [token, expected] of tokens) {
  test(`the token ${token} is shown as ${expected}`, () => {
    const value = guardToken(token)
    assert.equal(String(value), expected)
    assert.equal(reveal(value), token)
  })
}

test('a secret stays one wherever it is put', () => {
  const secret = new Secret('hunter2')
  const places = [
    String(secret),
    // oxlint-disable-next-line typescript/restrict-template-expressions -- what a careless line does
    `${secret}`,
    JSON.stringify({ secret, list: [secret] }),
    inspect({ secret }),
    inspect(secret, { showHidden: true, depth: 9 }),
    Object.keys(secret).join(),
    JSON.stringify(Object.entries(secret)),
    JSON.stringify(Object.assign({}, secret)),
    inspect(new Error('wrong', { cause: secret })),
    [secret].join(','),
  ]
  for (const text of places) assert.ok(!text.includes('hunter2'), text)
  assert.equal(JSON.stringify({ secret }), '{"secret":"••••"}')
  assert.equal(secret.reveal(), 'hunter2')
})
