"""python -m keras_cnn COMMAND"""

from keras_cnn.cli import console

console()
