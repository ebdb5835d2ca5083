"""The faults that mutants.py plants, by what they break."""
from . import accounting, bounds, crossing, device, restart, scheduling, service, tables

FAULTS = (service.FAULTS + crossing.FAULTS + scheduling.FAULTS + accounting.FAULTS + bounds.FAULTS + tables.FAULTS +
          device.FAULTS + restart.FAULTS)
