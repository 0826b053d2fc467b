"""Training settings as data: loss, optimizer, schedule, augmentation."""
