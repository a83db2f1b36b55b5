import 'fluent-ffmpeg'
