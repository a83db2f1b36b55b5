import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { TestProject } from 'vitest/node'

/**
 * Starts the backing services in a process of their own: modules imported here are resolved for
 * workerd, where PGlite can't run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = fork(new URL('./backing-services.ts', import.meta.url), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const exited = once(services, 'exit')
  const [workerEnv] = await Promise.race([
    once(services, 'message'),
    exited.then(() => {
      throw new Error('the backing services did not start')
    }),
  ])
  project.provide('workerEnv', workerEnv)
  return async () => {
    services.disconnect()
    await exited
  }
}

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- only an interface is merged
  export interface ProvidedContext {
    workerEnv: Record<string, string>
  }
}
