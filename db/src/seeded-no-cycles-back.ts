import './seeded-no-cycles.ts'
