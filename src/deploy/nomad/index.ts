import { nomad as target } from '../../export/index.ts'
import type { Deployment, EngineType } from '../engine.ts'
import { NomadClient } from './client.ts'
import { NomadEngine } from './engine.ts'

export const nomad: EngineType = {
  name: 'nomad',
  title: 'Nomad',
  target,
  options: [],
  foundBy: 'It is found as nomad finds it: NOMAD_ADDR, NOMAD_TOKEN',
  preview: ({ files }: Deployment) => files.map(({ text }) => `${text}\n`).join(''),
  connect: ({ application, env }) => {
    const client = new NomadClient(env)
    return { engine: new NomadEngine(client), where: `${application} on ${client.address}` }
  },
}
