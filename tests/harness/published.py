"""What is published of the networks in the zoo: parameters, multiply-accumulates, the smallest square image.

torchvision 0.29.1: parameters are `num_params` in the metadata of the weights (`IMAGENET1K_V1` where there are such);
multiply-accumulates were counted by forward hooks on the convolutions and linear layers of the models themselves, in
evaluation mode, at the size of the weights' transforms, and agree with `_ops` to the digits it has; the smallest image
was found by trying sizes from 1 on PyTorch's meta device. It is `min_size` of the metadata but for EfficientNetV2,
which is listed with 33 and takes 1.
"""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """Figures of one network; `smallest` is the side of the smallest square image."""

    parameters: int
    macs: int
    side: int
    smallest: int


TORCHVISION = {
    "alexnet": Published(61_100_840, 714_188_480, 224, 63),
    "convnext_base": Published(88_591_464, 15_354_729_472, 224, 32),
    "convnext_large": Published(197_767_336, 34_361_433_600, 224, 32),
    "convnext_small": Published(50_223_688, 8_683_712_256, 224, 32),
    "convnext_tiny": Published(28_589_128, 4_455_531_264, 224, 32),
    "densenet121": Published(7_978_856, 2_834_161_664, 224, 29),
    "densenet161": Published(28_681_000, 7_727_907_072, 224, 29),
    "densenet169": Published(14_149_480, 3_359_843_328, 224, 29),
    "densenet201": Published(20_013_928, 4_291_365_888, 224, 29),
    "efficientnet_b0": Published(5_288_548, 385_814_752, 224, 1),
    "efficientnet_b1": Published(7_794_184, 686_802_832, 240, 1),
    "efficientnet_b2": Published(9_109_994, 1_087_529_456, 288, 1),
    "efficientnet_b3": Published(12_233_232, 1_827_141_392, 300, 1),
    "efficientnet_b4": Published(19_341_616, 4_393_771_024, 380, 1),
    "efficientnet_b5": Published(30_389_784, 10_266_384_752, 456, 1),
    "efficientnet_b6": Published(43_040_704, 19_067_593_536, 528, 1),
    "efficientnet_b7": Published(66_347_960, 37_745_884_192, 600, 1),
    "efficientnet_v2_l": Published(118_515_272, 56_079_699_008, 480, 1),
    "efficientnet_v2_m": Published(54_139_356, 24_582_460_384, 480, 1),
    "efficientnet_v2_s": Published(21_458_488, 8_365_617_152, 384, 1),
    "googlenet": Published(6_624_904, 1_498_376_192, 224, 15),
    "inception_v3": Published(27_161_264, 5_713_216_096, 299, 75),
    "mnasnet0_5": Published(2_218_512, 104_455_968, 224, 1),
    "mnasnet0_75": Published(3_170_208, 215_493_104, 224, 1),
    "mnasnet1_0": Published(4_383_312, 314_415_872, 224, 1),
    "mnasnet1_3": Published(6_282_256, 526_362_432, 224, 1),
    "mobilenet_v2": Published(3_504_872, 300_774_272, 224, 1),
    "mobilenet_v3_large": Published(5_483_032, 216_589_760, 224, 1),
    "mobilenet_v3_small": Published(2_542_856, 56_510_400, 224, 1),
    "regnet_x_16gf": Published(54_278_536, 15_940_755_456, 224, 1),
    "regnet_x_1_6gf": Published(9_190_136, 1_602_849_792, 224, 1),
    "regnet_x_32gf": Published(107_811_560, 31_735_929_792, 224, 1),
    "regnet_x_3_2gf": Published(15_296_552, 3_176_621_952, 224, 1),
    "regnet_x_400mf": Published(5_495_976, 413_812_608, 224, 1),
    "regnet_x_800mf": Published(7_259_656, 799_699_712, 224, 1),
    "regnet_x_8gf": Published(39_572_648, 7_995_132_416, 224, 1),
    "regnet_y_128gf": Published(644_812_894, 374_570_006_400, 384, 1),
    "regnet_y_16gf": Published(83_590_140, 15_911_510_272, 224, 1),
    "regnet_y_1_6gf": Published(11_202_430, 1_612_076_160, 224, 1),
    "regnet_y_32gf": Published(145_046_770, 32_279_552_832, 224, 1),
    "regnet_y_3_2gf": Published(19_436_338, 3_176_482_752, 224, 1),
    "regnet_y_400mf": Published(4_344_144, 401_842_848, 224, 1),
    "regnet_y_800mf": Published(6_432_512, 833_856_256, 224, 1),
    "regnet_y_8gf": Published(39_381_472, 8_473_070_592, 224, 1),
    "resnet101": Published(44_549_160, 7_801_405_440, 224, 1),
    "resnet152": Published(60_192_808, 11_513_626_624, 224, 1),
    "resnet18": Published(11_689_512, 1_814_073_344, 224, 1),
    "resnet34": Published(21_797_672, 3_663_761_408, 224, 1),
    "resnet50": Published(25_557_032, 4_089_184_256, 224, 1),
    "resnext101_32x8d": Published(88_791_336, 16_414_015_488, 224, 1),
    "resnext101_64x4d": Published(83_455_272, 15_460_270_080, 224, 1),
    "resnext50_32x4d": Published(25_028_904, 4_230_479_872, 224, 1),
    "shufflenet_v2_x0_5": Published(1_366_792, 40_476_448, 224, 1),
    "shufflenet_v2_x1_0": Published(2_278_604, 144_907_992, 224, 1),
    "shufflenet_v2_x1_5": Published(3_503_624, 295_759_392, 224, 1),
    "shufflenet_v2_x2_0": Published(7_393_996, 583_253_464, 224, 1),
    "squeezenet1_0": Published(1_248_424, 818_924_576, 224, 21),
    "squeezenet1_1": Published(1_235_496, 349_151_936, 224, 17),
    "vgg11": Published(132_863_336, 7_609_090_048, 224, 32),
    "vgg11_bn": Published(132_868_840, 7_609_090_048, 224, 32),
    "vgg13": Published(133_047_848, 11_308_466_176, 224, 32),
    "vgg13_bn": Published(133_053_736, 11_308_466_176, 224, 32),
    "vgg16": Published(138_357_544, 15_470_264_320, 224, 32),
    "vgg16_bn": Published(138_365_992, 15_470_264_320, 224, 32),
    "vgg19": Published(143_667_240, 19_632_062_464, 224, 32),
    "vgg19_bn": Published(143_678_248, 19_632_062_464, 224, 32),
    "wide_resnet101_2": Published(126_886_696, 22_753_050_624, 224, 1),
    "wide_resnet50_2": Published(68_883_240, 11_398_021_120, 224, 1),
}

OTHERS = {
    # MobileNet V1: tensorflow/models, research/slim/nets; 569 million multiply-accumulates in the paper's table 4
    "mobilenet_v1": Published(4_231_976, 568_740_352, 224, 1),
    # Derived; the table of osmr/imgclsmob has the same parameters for these four
    "nin": Published(966_986, 222_486_528, 32, 4),
    "preact_resnet110": Published(1_730_522, 253_149_824, 32, 1),
    "preact_resnet164": Published(1_703_258, 247_646_720, 32, 1),
    "preact_resnet1001": Published(10_327_706, 1_490_995_712, 32, 1),
    # Derived; 0.27, 0.46, 0.66, 0.85 and 1.7 million in He et al., arXiv:1512.03385, table 6
    "resnet20": Published(269_722, 40_551_040, 32, 1),
    "resnet32": Published(464_154, 68_862_592, 32, 1),
    "resnet44": Published(658_586, 97_174_144, 32, 1),
    "resnet56": Published(853_018, 125_485_696, 32, 1),
    "resnet110": Published(1_727_962, 252_887_680, 32, 1),
    # Derived from figure 1 of the paper; the smallest tile that loses nothing has 188 rows, with padding 16
    "unet": Published(31_030_658, 150_428_424_448, 572, 188),
    "unet_padded": Published(31_030_658, 192_384_335_872, 512, 16),
    # Derived; 134 million in Long et al., arXiv:1411.4038, table 1. Its border lets it take an image of one pixel
    "fcn8s": Published(134_489_759, 181_529_034_048, 500, 1),
}
"""Square images; sources beside them."""

FIXED = {
    # LeCun et al. 1998, section II.B: C1 to F6 have 60,000; the last layer is ours
    "lenet5_1998": (156 + 12 + 1_516 + 32 + 48_120 + 10_164 + 850, 326_520),
    "lenet5": (61_706, 416_520),
    # pytorch/examples, dcgan, with its defaults
    "dcgan_generator": (3_576_704, 104_628_224),
    "dcgan_discriminator": (2_765_568, 103_817_216),
    # PyTorch's tutorial on speech commands prints the parameters; multiply-accumulates are derived, at one second
    "m5": (26_915, 1_880_256),
    # Derived from figure 3 of Tran et al., arXiv:1412.0767; its copies in PyTorch have the same parameters
    "c3d": (78_409_573, 38_547_378_176),
    # Derived from the layers of VGG-16 and their mirror; 360 x 480 is CamVid's size in the paper
    "segnet": (29_441_419, 106_287_759_360),
}
"""Parameters and multiply-accumulates of networks for images of one size, or not square."""

AUXILIARY = {"googlenet": 6_379_984, "inception_v3": 3_326_696}
"""Parameters of the auxiliary heads: `num_params` of Inception-v3 counts them, that of GoogLeNet does not."""
