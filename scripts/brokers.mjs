/** Installs the brokers and the database that tests start, where they can be installed; `npm test` does it as well. */
import { ensureBrokers } from './setup/brokers.mjs'
import { main } from './setup/steps.mjs'

await main(ensureBrokers)
