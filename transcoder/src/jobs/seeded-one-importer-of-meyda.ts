import 'meyda'
