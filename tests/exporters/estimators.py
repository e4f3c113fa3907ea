"""The data and the estimators of scikit-learn that scikit_learn.py exports: (family, estimator) pairs."""

import numpy as np

ROWS, TEST_ROWS, COLUMNS = 120, 23, 6


def data(seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(ROWS + TEST_ROWS, COLUMNS)).astype(np.float32)
    weights = random.normal(size=(COLUMNS, 3))
    scores = x @ weights + np.sin(x[:, :3] * 2) + random.normal(size=(len(x), 3)) / 4
    return x, scores


X, SCORES = data(7)
TRAIN, TEST = slice(0, ROWS), slice(ROWS, None)
BINARY = (SCORES[:, 0] > 0).astype(np.int64)
MULTI = SCORES.argmax(axis=1).astype(np.int64)
TEXT_LABELS = np.array(["red", "green", "blue"])[MULTI]
MULTILABEL = (SCORES > 0).astype(np.int64)
POSITIVE = np.abs(X)
WORDS = np.array(
    [" ".join(np.random.default_rng(i).choice("a bee sea dee egg fox go hat".split(), 5)) for i in range(len(X))]
)


def classifiers():
    from sklearn import (
        calibration,
        discriminant_analysis,
        dummy,
        ensemble,
        gaussian_process,
        linear_model,
        multiclass,
        naive_bayes,
        neighbors,
        neural_network,
        svm,
        tree,
    )

    few = {"n_estimators": 7, "random_state": 0}
    simple = linear_model.LogisticRegression()
    yield "trees", tree.DecisionTreeClassifier(max_depth=5)
    yield "trees", tree.ExtraTreeClassifier(max_depth=5)
    yield "forests", ensemble.RandomForestClassifier(**few)
    yield "forests", ensemble.ExtraTreesClassifier(**few)
    yield "boosting", ensemble.GradientBoostingClassifier(**few)
    yield "boosting", ensemble.HistGradientBoostingClassifier(max_iter=7)
    yield "boosting", ensemble.AdaBoostClassifier(**few)
    yield "ensembles", ensemble.BaggingClassifier(**few)
    voters = [("a", simple), ("b", naive_bayes.GaussianNB())]
    yield "ensembles", ensemble.VotingClassifier(voters, voting="soft", flatten_transform=False)
    yield "ensembles", ensemble.StackingClassifier([("a", simple), ("b", naive_bayes.GaussianNB())])
    yield "linear", linear_model.LogisticRegression()
    yield "linear", linear_model.LogisticRegressionCV(cv=3)
    yield "linear", linear_model.SGDClassifier(loss="log_loss", random_state=0)
    yield "linear", linear_model.SGDClassifier(loss="modified_huber", random_state=0)
    yield "linear", linear_model.RidgeClassifier()
    yield "linear", linear_model.Perceptron()
    yield "linear", linear_model.PassiveAggressiveClassifier(random_state=0)
    yield "linear", discriminant_analysis.LinearDiscriminantAnalysis()
    yield "linear", discriminant_analysis.QuadraticDiscriminantAnalysis()
    yield "support vectors", svm.LinearSVC()
    for kernel in ("linear", "poly", "rbf", "sigmoid"):
        yield "support vectors", svm.SVC(kernel=kernel)
        yield "support vectors", svm.SVC(kernel=kernel, probability=True, random_state=0)
    yield "support vectors", svm.NuSVC(nu=0.2)
    yield "support vectors", svm.NuSVC(nu=0.2, probability=True, random_state=0)
    yield "neighbours", neighbors.KNeighborsClassifier(3)
    yield "neighbours", neighbors.KNeighborsClassifier(3, weights="distance")
    yield "neighbours", neighbors.RadiusNeighborsClassifier(4.0)
    yield "neighbours", neighbors.NearestCentroid()
    yield "naive Bayes", naive_bayes.GaussianNB()
    yield "naive Bayes", naive_bayes.BernoulliNB()
    yield "naive Bayes", naive_bayes.MultinomialNB()
    yield "naive Bayes", naive_bayes.ComplementNB()
    yield "naive Bayes", naive_bayes.CategoricalNB(min_categories=9)
    yield "Gaussian processes", gaussian_process.GaussianProcessClassifier()
    yield "neural networks", neural_network.MLPClassifier((8, 5), max_iter=60, random_state=0)
    yield "neural networks", neural_network.MLPClassifier(4, activation="tanh", max_iter=60, random_state=0)
    yield "wrappers", calibration.CalibratedClassifierCV(simple, cv=2)
    yield "wrappers", calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), method="isotonic", cv=2)
    yield "wrappers", multiclass.OneVsRestClassifier(simple)
    yield "wrappers", multiclass.OneVsOneClassifier(simple)
    yield "wrappers", multiclass.OutputCodeClassifier(simple, random_state=0)
    yield "wrappers", dummy.DummyClassifier()


def multilabel_classifiers():
    from sklearn import ensemble, linear_model, multiclass, multioutput, neighbors, neural_network, tree

    simple = linear_model.LogisticRegression()
    yield "trees", tree.DecisionTreeClassifier(max_depth=4)
    yield "forests", ensemble.RandomForestClassifier(n_estimators=5, random_state=0)
    yield "neighbours", neighbors.KNeighborsClassifier(3)
    yield "neural networks", neural_network.MLPClassifier(6, max_iter=60, random_state=0)
    yield "wrappers", multioutput.MultiOutputClassifier(simple)
    yield "wrappers", multioutput.ClassifierChain(simple)
    yield "wrappers", multiclass.OneVsRestClassifier(simple)


def regressors():
    from sklearn import (
        compose,
        cross_decomposition,
        dummy,
        ensemble,
        gaussian_process,
        kernel_ridge,
        linear_model,
        multioutput,
        neighbors,
        neural_network,
        svm,
        tree,
    )

    few = {"n_estimators": 7, "random_state": 0}
    yield "trees", tree.DecisionTreeRegressor(max_depth=5)
    yield "trees", tree.ExtraTreeRegressor(max_depth=5)
    yield "forests", ensemble.RandomForestRegressor(**few)
    yield "forests", ensemble.ExtraTreesRegressor(**few)
    yield "boosting", ensemble.GradientBoostingRegressor(**few)
    yield "boosting", ensemble.HistGradientBoostingRegressor(max_iter=7)
    yield "boosting", ensemble.AdaBoostRegressor(**few)
    yield "ensembles", ensemble.BaggingRegressor(**few)
    yield "ensembles", ensemble.VotingRegressor([("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor())])
    yield "ensembles", ensemble.StackingRegressor([("a", linear_model.Ridge()), ("b", linear_model.Lasso())])
    for name in (
        "LinearRegression Ridge RidgeCV Lasso LassoCV LassoLars LassoLarsIC ElasticNet Lars BayesianRidge "
        "ARDRegression HuberRegressor TheilSenRegressor OrthogonalMatchingPursuit PassiveAggressiveRegressor "
        "SGDRegressor RANSACRegressor PoissonRegressor GammaRegressor TweedieRegressor QuantileRegressor"
    ).split():
        yield "linear", getattr(linear_model, name)()
    yield "linear", kernel_ridge.KernelRidge()
    yield "linear", cross_decomposition.PLSRegression()
    yield "linear", compose.TransformedTargetRegressor(linear_model.Ridge())
    yield "support vectors", svm.LinearSVR()
    for kernel in ("linear", "poly", "rbf", "sigmoid"):
        yield "support vectors", svm.SVR(kernel=kernel)
        yield "support vectors", svm.NuSVR(kernel=kernel)
    yield "neighbours", neighbors.KNeighborsRegressor(3)
    yield "neighbours", neighbors.KNeighborsRegressor(3, weights="distance", metric="manhattan")
    yield "neighbours", neighbors.RadiusNeighborsRegressor(4.0)
    kernels = gaussian_process.kernels
    yield "Gaussian processes", gaussian_process.GaussianProcessRegressor(kernels.RBF() + kernels.WhiteKernel())
    yield "Gaussian processes", gaussian_process.GaussianProcessRegressor(kernels.DotProduct() * kernels.RBF())
    yield "neural networks", neural_network.MLPRegressor((8, 5), max_iter=60, random_state=0)
    yield "wrappers", multioutput.MultiOutputRegressor(linear_model.Ridge())
    yield "wrappers", dummy.DummyRegressor()


def outliers_and_clusters():
    from sklearn import cluster, covariance, ensemble, linear_model, mixture, neighbors, svm

    yield "outliers", ensemble.IsolationForest(n_estimators=7, random_state=0)
    yield "outliers", neighbors.LocalOutlierFactor(novelty=True)
    yield "outliers", svm.OneClassSVM()
    yield "outliers", svm.OneClassSVM(kernel="poly")
    yield "outliers", linear_model.SGDOneClassSVM(random_state=0)
    yield "outliers", covariance.EllipticEnvelope(random_state=0)
    yield "clusters", cluster.KMeans(3, random_state=0)
    yield "clusters", cluster.MiniBatchKMeans(3, random_state=0)
    yield "clusters", mixture.GaussianMixture(2, random_state=0)
    yield "clusters", mixture.BayesianGaussianMixture(n_components=2, random_state=0)


def transformers():
    from sklearn import (
        decomposition,
        ensemble,
        feature_selection,
        impute,
        kernel_approximation,
        neighbors,
        preprocessing,
        random_projection,
        tree,
    )

    for name in (
        "StandardScaler MinMaxScaler MaxAbsScaler RobustScaler PowerTransformer QuantileTransformer Binarizer "
        "PolynomialFeatures SplineTransformer"
    ).split():
        yield "scaling", getattr(preprocessing, name)()
    for norm in ("l1", "l2", "max"):
        yield "scaling", preprocessing.Normalizer(norm)
    yield "scaling", preprocessing.PolynomialFeatures(3, interaction_only=True, include_bias=False)
    yield "scaling", preprocessing.KBinsDiscretizer(4, encode="ordinal")
    yield "scaling", preprocessing.KBinsDiscretizer(4, encode="onehot-dense")
    yield "decompositions", decomposition.PCA(3)
    yield "decompositions", decomposition.PCA(3, whiten=True)
    yield "decompositions", decomposition.IncrementalPCA(3)
    yield "decompositions", decomposition.KernelPCA(3, kernel="rbf")
    yield "decompositions", decomposition.TruncatedSVD(3)
    yield "decompositions", decomposition.FastICA(3, random_state=0)
    yield "decompositions", random_projection.GaussianRandomProjection(3, random_state=0)
    yield "decompositions", kernel_approximation.Nystroem(n_components=5, random_state=0)
    yield "decompositions", neighbors.NeighborhoodComponentsAnalysis(2, random_state=0)
    yield "selection", feature_selection.SelectKBest(k=3)
    yield "selection", feature_selection.SelectPercentile(percentile=50)
    yield "selection", feature_selection.VarianceThreshold(0.9)
    yield "selection", feature_selection.SelectFromModel(tree.DecisionTreeClassifier(random_state=0))
    yield "selection", feature_selection.RFE(tree.DecisionTreeClassifier(random_state=0), n_features_to_select=3)
    yield "selection", ensemble.RandomTreesEmbedding(n_estimators=4, max_depth=3, random_state=0)
    yield "imputing", impute.SimpleImputer()
    yield "imputing", impute.SimpleImputer(strategy="constant", fill_value=4.0, add_indicator=True)
    yield "imputing", impute.KNNImputer(n_neighbors=3)
