"""Rules about running and training a network, and about data and files: R5xx."""

from __future__ import annotations

from planner.rules.rule import Rule, spec

RUNNING = (
    Rule(
        "R501",
        "not runnable",
        "The shapes are right, but the run would not do what is asked for, such as cross_entropy on what already went "
        "through softmax: it takes logits, and would apply softmax to probabilities.",
        spec("flatten\ndense: {units: 10}\nsoftmax", more="train: {loss: cross_entropy}\n"),
        spec("flatten\ndense: {units: 10}", more="train: {loss: cross_entropy}\n"),
    ),
    Rule(
        "R502",
        "images do not fit",
        "The arrays or images given are not what the plan says: other channels, another size, another type, or not as "
        "many for one input as for the other. Images smaller than the input are enlarged or padded by the commands, "
        "and said to be; larger ones and other channels never are.",
        "$ shapeplan train rgb.yaml --data mnist",
        "$ shapeplan train lenet5.yaml --data mnist",
    ),
    Rule(
        "R503",
        "labels do not fit",
        "Labels are whole numbers from 0 to one below the number of classes, one for each image; for `mse` they may "
        "also be arrays of the output's shape.",
        "model.fit(images, labels + 1)",
        "model.fit(images, labels)",
    ),
    Rule(
        "R504",
        "data file damaged",
        "A data file is cut short, has a header that disagrees with its length, or is of another format than its name "
        "says. Nothing of it is used.",
        "$ shapeplan train lenet5.yaml --data half-a-download.npz",
        "$ shapeplan train lenet5.yaml --data digits",
    ),
    Rule(
        "R505",
        "no such data",
        "There is no data set of that name and no file at that path. Names are digits, mnist and fashion_mnist; a "
        "path is an .npz file or a directory with the four IDX files.",
        "$ shapeplan train lenet5.yaml --data minst",
        "$ shapeplan train lenet5.yaml --data mnist",
    ),
    Rule(
        "R506",
        "loss not finite",
        "The loss became infinite or not a number. Either training diverged, which a smaller learning rate cures, or "
        "an image holds numbers that are not finite; the finding says which. What was saved before is untouched.",
        "$ shapeplan train lenet5.yaml --data mnist --lr 100",
        "$ shapeplan train lenet5.yaml --data mnist --lr 0.05",
    ),
    Rule(
        "R507",
        "weights of another network",
        "A weights file or checkpoint names other arrays, or arrays of other shapes, than the network has.",
        "$ shapeplan train wider.yaml --data mnist --resume lenet5.safetensors",
        "$ shapeplan train lenet5.yaml --data mnist --resume lenet5.safetensors",
    ),
    Rule(
        "R508",
        "file not read or written",
        "A weights file cannot be read, or an output cannot be written where it was asked for. Files are written under "
        "a temporary name and moved into place, so an older file of that name is as it was.",
        "$ shapeplan train lenet5.yaml --output /proc/nowhere",
        "$ shapeplan train lenet5.yaml --output runs/lenet5",
    ),
    Rule(
        "R509",
        "download failed",
        "MNIST and Fashion-MNIST are downloaded once, with checksums, into the user's cache. Without a network, put "
        "the four original files into a directory and name its parent in SHAPEPLAN_DATA.",
        "$ shapeplan train lenet5.yaml --data mnist",
        "$ SHAPEPLAN_DATA=~/data shapeplan train lenet5.yaml --data mnist",
    ),
    Rule(
        "R510",
        "nothing to train",
        "There is not one image, or the network has no trainable parameter.",
        spec("flatten"),
        spec("flatten\ndense: {units: 10}"),
    ),
    Rule(
        "R511",
        "not enough memory",
        "The machine refused the memory the plan asks for. `shapeplan show` says how much that is at each batch size.",
        "$ shapeplan train lenet5.yaml --data mnist --batch 60000000",
        "$ shapeplan train lenet5.yaml --data mnist --batch 64",
    ),
    Rule(
        "R512",
        "library missing",
        "A part that is installed on demand is not there; the finding names the command that brings it.",
        "$ pip install shapeplan",
        "$ pip install 'shapeplan[all]'",
    ),
    Rule(
        "R513",
        "not a model's argument",
        "runtime.Model takes a bound plan, whose sizes are all numbers and whose inputs share one batch size, and a "
        "whole number from 0 as its seed.",
        "runtime.Model(net.check())",
        "runtime.Model(net.check().bind(N=8))",
    ),
    Rule(
        "R514",
        "a batch of one number",
        "Batch normalisation learns from the spread of a channel's numbers over the batch. With one image and one "
        "position there is no spread: every output would be the bias, whatever the input.",
        "model.fit(images[:1], labels[:1])",
        "model.fit(images[:2], labels[:2])",
    ),
    Rule(
        "R515",
        "images that cannot be moved",
        "`augment` flips and shifts the images of a network that reads one image, by less than its height and width. "
        "Labels that have a place in the image, such as the classes of its pixels, would stay where they were and be "
        "wrong; they are refused when training begins.",
        spec("flatten\ndense: {units: 10}", more="train: {augment: {shift: 30}}\n"),
        spec("flatten\ndense: {units: 10}", more="train: {augment: {shift: 3}}\n"),
    ),
)
"""In the order of their codes."""
