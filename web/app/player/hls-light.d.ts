// hls.js ships no declarations for its light build, which has the same surface less subtitles,
// alternate audio and DRM.
declare module 'hls.js/light' {
  export * from 'hls.js'
  export { default } from 'hls.js'
}
