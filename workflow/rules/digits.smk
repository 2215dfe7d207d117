# DIGITS: scores of small networks trained on real images, the raw table of benchmark `digits`.
#
# REQUIRED INPUTS
#   none: the images come with scikit-learn, or from the setting digits.images
# OUTPUTS
#   data/raw/digits/scores.csv      read like any published table


rule train_digits:
    """Train autoencoders and classifiers on handwritten digits and score them."""
    input:
        images=[config["digits"]["images"]] if config["digits"]["images"] else [],
    output:
        scores="data/raw/digits/scores.csv",
    log:
        "logs/digits/train.log",
    params:
        *code("train_digits"),
        n_seeds=lookup(dpath="digits/n_seeds", within=config),
        threshold=lookup(dpath="digits/threshold", within=config),
        libraries=versions("numpy", "scipy", "scikit-learn"),
    script:
        "../scripts/train_digits.py"
