"""Spec files: read and write networks as YAML and JSON, with the location of every value."""

from planner.spec.reader import load as load
from planner.spec.reader import read as read
from planner.spec.reader import read_file as read_file
from planner.spec.schema import schema as schema
from planner.spec.write import write as write
