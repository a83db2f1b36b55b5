import './seeded-no-cycles-back.ts'
