"""python -m tuning COMMAND"""

import sys

from keras_cnn import stderr_filter
from tuning.cli import main

stderr_filter.install()
sys.exit(main(sys.argv[1:]))
