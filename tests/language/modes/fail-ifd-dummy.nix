import (derivation { name = "x"; builder = "/bin/sh"; system = "s"; })
