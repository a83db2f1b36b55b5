import '@remix-run/server-runtime'

// With single fetch, loaders' types reach components as they are, dates and all.
declare module '@remix-run/server-runtime' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- merging needs an interface
  interface Future {
    v3_singleFetch: true
  }
}
