import '../relay.ts'
