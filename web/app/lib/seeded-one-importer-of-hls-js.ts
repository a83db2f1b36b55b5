import 'hls.js'
