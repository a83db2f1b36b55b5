import { vitePlugin as remix } from '@remix-run/dev'
import tailwindcss from '@tailwindcss/vite'
import { defineConfig, type Plugin } from 'vite'
import { devServer } from './dev-server.ts'

/**
 * Chunks whose functions first run when somebody presses play. V8 compiles a function when it is first
 * called; with this hint (Chrome 136, elsewhere a comment) it does so while the file loads, off the
 * main thread. It has to be the first line, and survive the minifier.
 */
const COMPILED_EARLY = ['hls-engine', 'player', 'loader']

const compileHints: Plugin = {
  name: 'compile-hints',
  apply: (_config, { command, isSsrBuild }) => command === 'build' && isSsrBuild !== true,
  enforce: 'post',
  generateBundle(_options, bundle) {
    for (const name of COMPILED_EARLY) {
      const chunk = Object.values(bundle).find(
        (file) => file.type === 'chunk' && file.name === name,
      )
      if (chunk?.type !== 'chunk') return this.error(`there is no chunk ${name} to hint at`)
      chunk.code = `//# allFunctionsCalledOnLoad\n${chunk.code}`
    }
  },
}

export default defineConfig(({ command }) => ({
  plugins: [
    tailwindcss(),
    devServer(),
    remix({
      future: {
        v3_fetcherPersist: true,
        v3_lazyRouteDiscovery: true,
        v3_relativeSplatPath: true,
        v3_routeConfig: true,
        v3_singleFetch: true,
        v3_throwAbortReason: true,
      },
    }),
    compileHints,
  ],
  // What runs in workerd has neither Node's resolution nor node_modules; the dev server runs in Node.
  ...(command === 'build' && {
    ssr: {
      noExternal: true,
      resolve: { conditions: ['workerd', 'worker', 'browser'], externalConditions: ['workerd'] },
    },
  }),
  build: { target: 'es2022', sourcemap: false },
}))
