"""Diagrams of networks as SVG, DOT, PNG and PDF."""

from planner.diagrams.diagram import Diagram as Diagram
from planner.diagrams.drawing import FORMATS as FORMATS
from planner.diagrams.drawing import Format as Format
from planner.diagrams.drawing import draw as draw
from planner.diagrams.fault import DrawError as DrawError
from planner.diagrams.folding import LEVELS as LEVELS
from planner.diagrams.folding import Level as Level
from planner.diagrams.fonts import MissingCharacters as MissingCharacters
from planner.diagrams.picture import HEATS as HEATS
from planner.diagrams.picture import Heat as Heat
