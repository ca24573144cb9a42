#include "CDecimal.h"
