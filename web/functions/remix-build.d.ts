// What `remix vite:build` leaves in build/server, which is there only after a build.
declare module '*/build/server/index.js' {
  import type { ServerBuild } from '@remix-run/cloudflare'
  type Build = Required<ServerBuild>
  export const assets: Build['assets']
  export const assetsBuildDirectory: Build['assetsBuildDirectory']
  export const basename: Build['basename']
  export const entry: Build['entry']
  export const future: Build['future']
  export const isSpaMode: Build['isSpaMode']
  export const mode: Build['mode']
  export const publicPath: Build['publicPath']
  export const routes: Build['routes']
}
