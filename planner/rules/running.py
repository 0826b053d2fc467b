"""Rules about running and training a network, and about data and files: R5xx."""

from __future__ import annotations

from planner.rules.rule import Rule, spec

RUNNING = (
    Rule(
        "R501",
        "not runnable",
        "The shapes are valid, but the run would not compute what is intended. An example is cross_entropy after a "
        "softmax layer: the loss takes logits, and would apply softmax to probabilities.",
        spec("flatten\ndense: {units: 10}\nsoftmax", more="train: {loss: cross_entropy}\n"),
        spec("flatten\ndense: {units: 10}", more="train: {loss: cross_entropy}\n"),
    ),
    Rule(
        "R502",
        "images do not fit",
        "The arrays or images do not match the plan: they have other channels, another size, another type, or a "
        "different number of images for each input. Commands enlarge or pad images that are smaller than the input, "
        "and say so; they never change larger images or other channels.",
        "$ shapeplan train rgb.yaml --data mnist",
        "$ shapeplan train lenet5.yaml --data mnist",
    ),
    Rule(
        "R503",
        "labels do not fit",
        "Labels are integers from 0 to the number of classes minus 1, one for each image. For `mse` they may also be "
        "arrays with the shape of the output.",
        "model.fit(images, labels + 1)",
        "model.fit(images, labels)",
    ),
    Rule(
        "R504",
        "data file damaged",
        "A data file is truncated, has a header that does not match its length, or has another format than its name "
        "says. None of it is used.",
        "$ shapeplan train lenet5.yaml --data half-a-download.npz",
        "$ shapeplan train lenet5.yaml --data digits",
    ),
    Rule(
        "R505",
        "no such data",
        "There is no data set with that name and no file at that path. The names are digits, mnist and fashion_mnist; "
        "a path is an .npz file or a directory with the four IDX files.",
        "$ shapeplan train lenet5.yaml --data minst",
        "$ shapeplan train lenet5.yaml --data mnist",
    ),
    Rule(
        "R506",
        "loss not finite",
        "The loss became infinite or NaN. Either training diverged, which a smaller learning rate fixes, or an image "
        "contains values that are not finite; the finding says which. Files saved before are unchanged.",
        "$ shapeplan train lenet5.yaml --data mnist --lr 100",
        "$ shapeplan train lenet5.yaml --data mnist --lr 0.05",
    ),
    Rule(
        "R507",
        "weights of another network",
        "The names or shapes of the arrays in a weights file or checkpoint differ from those of the network.",
        "$ shapeplan train wider.yaml --data mnist --resume lenet5.safetensors",
        "$ shapeplan train lenet5.yaml --data mnist --resume lenet5.safetensors",
    ),
    Rule(
        "R508",
        "file not read or written",
        "A weights file cannot be read, or an output cannot be written to the given path. Files are written under a "
        "temporary name and then renamed, so an existing file of that name is unchanged.",
        "$ shapeplan train lenet5.yaml --output /proc/nowhere",
        "$ shapeplan train lenet5.yaml --output runs/lenet5",
    ),
    Rule(
        "R509",
        "download failed",
        "MNIST and Fashion-MNIST are downloaded once, with checksums, into the user's cache. Without a network "
        "connection, put the four original files into a directory and set SHAPEPLAN_DATA to its parent.",
        "$ shapeplan train lenet5.yaml --data mnist",
        "$ SHAPEPLAN_DATA=~/data shapeplan train lenet5.yaml --data mnist",
    ),
    Rule(
        "R510",
        "nothing to train",
        "There are no images, or the network has no trainable parameters.",
        spec("flatten"),
        spec("flatten\ndense: {units: 10}"),
    ),
    Rule(
        "R511",
        "not enough memory",
        "The system refused to allocate the planned memory. `shapeplan show --at N=...` prints how much each batch "
        "size needs.",
        "$ shapeplan train lenet5.yaml --data mnist --batch 60000000",
        "$ shapeplan train lenet5.yaml --data mnist --batch 64",
    ),
    Rule(
        "R512",
        "library missing",
        "An optional dependency is not installed; the finding names the command that installs it.",
        "$ pip install shapeplan",
        "$ pip install 'shapeplan[all]'",
    ),
    Rule(
        "R513",
        "invalid argument of a model",
        "runtime.Model takes a bound plan, in which all sizes are numbers and all inputs have the same batch size, "
        "and an integer seed of at least 0.",
        "runtime.Model(net.check())",
        "runtime.Model(net.check().bind(N=8))",
    ),
    Rule(
        "R514",
        "batch norm over a single value",
        "Batch norm normalises each channel by its mean and variance over the batch. With one image and one "
        "position the variance is 0: every output would be the bias, whatever the input.",
        "model.fit(images[:1], labels[:1])",
        "model.fit(images[:2], labels[:2])",
    ),
    Rule(
        "R515",
        "images that cannot be augmented",
        "`augment` flips and shifts images, by less than their height and width, and needs a network with one image "
        "input. Labels with positions in the image, such as classes of pixels, are refused when training begins: they "
        "would not move with the image and would be wrong.",
        spec("flatten\ndense: {units: 10}", more="train: {augment: {shift: 30}}\n"),
        spec("flatten\ndense: {units: 10}", more="train: {augment: {shift: 3}}\n"),
    ),
)
"""In the order of their codes."""
