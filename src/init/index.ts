/** From what starts a project today to a declaration: read other tools' files, recognise their commands, propose. */
export { type Evaluate, findCelery, type ReadFile, readNamed, readOtherTools } from './project-files.ts'
export { type ProjectView, propose, type Proposal } from './propose.ts'
export { renderConfig } from './render-config.ts'
export { renderPython } from './render-python.ts'
