import '../../worker/src/problem.ts'
