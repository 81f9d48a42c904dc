"""python -m keras_cnn COMMAND"""

import sys

from keras_cnn.cli import main

sys.exit(main(sys.argv[1:]))
