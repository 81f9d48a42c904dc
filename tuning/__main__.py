"""python -m tuning COMMAND"""

import sys

from tuning.cli import main

sys.exit(main(sys.argv[1:]))
