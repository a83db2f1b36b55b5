import '../../worker/src/app.ts'
