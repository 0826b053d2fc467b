"""How a network is trained, as data: loss, optimizer, schedule, augmentation."""
