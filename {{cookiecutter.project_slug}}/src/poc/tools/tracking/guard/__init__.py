"""The guard within MLflow's server: stores and routes that ask before they change what is signed, or what a stage holds.

Its modules need MLflow as they are imported, for they extend its classes; whoever needs them imports them where they are used.
"""

from poc.tools.tracking.guard.decisions import Guard

__all__ = ["Guard"]
