"""The texts of ladder.html in English and Vietnamese."""

from typing import Any

TEXTS: dict[str, dict[str, Any]] = {
    "en": {
        "title": "How to increase the training accuracy of a CNN: the lecture, replayed",
        "intro": "A network that does not learn has a reason. Each rung below changes one setting, as the lecture did, "
        "trains {seeds} times for {epochs} epochs on the first {images} training images of {data}, and tests the "
        "lecture's claim. Networks are VGGs of {scale} times the published width, trained by Adam in batches of 64. "
        "Before each training the diagnosis (keras-cnn diagnose) predicts the outcome; the figures show what it "
        "measured.",
        "chance": "A network that has learned nothing predicts the largest class, which is right for {majority:.1%} of "
        "the images.",
        "outcomes": {
            "held": "the lecture's claim holds",
            "failed": "the lecture's claim does not hold here",
            "conditional": "the claim holds only at a learning rate of {yes}, not at {no}",
            "open": "baseline for comparisons",
        },
        "columns": ("network", "learning rate", "training accuracy", "95 % interval", "validation", "runs"),
        "rate": "learning rate",
        "epoch": "epoch",
        "accuracy": "accuracy (dotted: validation)",
        "signal": "signal: standard deviation of outputs over images",
        "gradient": "gradient / weight",
        "diagnosis": "Diagnosis before training at a learning rate of {rate:.0e}: {verdict}",
        "verdicts": {
            "": "not diagnosed",
            "healthy": "healthy",
            "learning-rate-dependent": "learns only at other learning rates",
            "untrainable": "untrainable at every learning rate tried",
        },
        "matrix": "All combinations: activation, initializer, depth, batch normalization, learning rate",
        "matrix_intro": "Training accuracy of 48 networks, each trained once, for half as many epochs. Initialization "
        "and learning rate act together: compare the cells of a row before attributing a failure to one of them.",
        "rungs": {
            "small": (
                "1. A small network",
                "One block of one convolution. It learns, but its capacity is low.",
            ),
            "more_blocks": (
                "2. More blocks",
                "Claim: three blocks, each with twice the filters, learn better than one.",
            ),
            "sigmoid": (
                "3. A VGG with sigmoid",
                "Claim: eight convolutions with sigmoid do not learn: its slope is at most 0.25, and every layer "
                "multiplies the gradient by it, so that the gradient vanishes.",
            ),
            "relu": (
                "4. ReLU",
                "Claim: the same network with ReLU, whose slope is 1, learns where sigmoid does not.",
            ),
            "glorot": (
                "5. Glorot initialization",
                "Claim: weights scaled by the widths of the layers (Glorot and Bengio 2010) learn better than weights "
                "of one fixed standard deviation, 0.05.",
            ),
            "deeper": (
                "6. Deeper, without success",
                "Claim: sixteen convolutions with ReLU and Glorot initialization do not learn: ReLU halves the "
                "variance in every layer.",
            ),
            "he": (
                "7. He initialization",
                "Claim: twice the variance (He et al. 2015) makes the sixteen convolutions learn.",
            ),
            "normalization_none": (
                "8a. Raw pixels, 0 to 255",
                "The eight convolutions with He initialization on raw pixels.",
            ),
            "normalization_zero_one": (
                "8b. Pixels from 0 to 1",
                "Claim: divided by 255, they learn better than raw.",
            ),
            "normalization_minus_one_one": (
                "8c. Pixels from -1 to 1",
                "Claim: centered, they learn better than raw.",
            ),
            "normalization_zero_mean": (
                "8d. Mean 0, standard deviation 1",
                "Claim: normalized by mean and standard deviation of the training images they learn better than raw.",
            ),
            "normalization_per_image": (
                "8e. Normalized per image",
                "Claim: normalized by mean and standard deviation of each image they learn better than raw.",
            ),
            "batch_norm": (
                "9. Batch normalization",
                "Claim: sixteen convolutions with batch normalization (Ioffe and Szegedy 2015) learn better than with "
                "He initialization alone.",
            ),
        },
    },
    "vi": {
        "title": "Làm thế nào để tăng độ chính xác huấn luyện của CNN: bài giảng được chạy lại",
        "intro": "Một mạng không học được luôn có lý do. Mỗi bậc dưới đây thay đổi một điều, như trong bài giảng, huấn "
        "luyện {seeds} lần, mỗi lần {epochs} epoch trên {images} ảnh huấn luyện đầu tiên của {data}, rồi hỏi điều bài "
        "giảng nói có đúng không. Các mạng là VGG với bề rộng bằng {scale} lần bản gốc, tối ưu bằng Adam với batch 64. "
        "Trước mỗi lần huấn luyện, chẩn đoán (keras-cnn diagnose) dự đoán kết quả; các hình cho thấy những gì đã đo.",
        "chance": "Một mạng chưa học được gì luôn dự đoán lớp đông nhất và đúng với {majority:.1%} số ảnh.",
        "outcomes": {
            "held": "điều bài giảng nói là đúng",
            "failed": "ở đây điều bài giảng nói không đúng",
            "conditional": "chỉ đúng với tốc độ học {yes}, không đúng với {no}",
            "open": "mốc để so sánh",
        },
        "columns": (
            "mạng",
            "tốc độ học",
            "độ chính xác huấn luyện",
            "khoảng tin cậy 95 %",
            "kiểm định",
            "số lần",
        ),
        "rate": "tốc độ học",
        "epoch": "epoch",
        "accuracy": "độ chính xác (chấm: kiểm định)",
        "signal": "tín hiệu: độ lệch chuẩn của đầu ra giữa các ảnh",
        "gradient": "gradient / trọng số",
        "diagnosis": "Chẩn đoán trước khi huấn luyện với tốc độ học {rate:.0e}: {verdict}",
        "verdicts": {
            "": "không chẩn đoán",
            "healthy": "khỏe mạnh",
            "learning-rate-dependent": "chỉ học được với tốc độ học khác",
            "untrainable": "không học được với mọi tốc độ học đã thử",
        },
        "matrix": "Tất cả cùng nhau: hàm kích hoạt, khởi tạo, độ sâu, batch normalization, tốc độ học",
        "matrix_intro": "Độ chính xác huấn luyện của 48 mạng, mỗi mạng huấn luyện một lần, với một nửa số epoch. Khởi "
        "tạo và tốc độ học là một nguyên nhân chung: hãy so sánh các ô trong một hàng trước khi kết luận.",
        "rungs": {
            "small": (
                "1. Mạng nhỏ",
                "Một khối với một lớp tích chập. Nó học, nhưng dung lượng quá nhỏ.",
            ),
            "more_blocks": (
                "2. Thêm khối",
                "Bài giảng: ba khối, mỗi khối gấp đôi số bộ lọc, học tốt hơn một khối.",
            ),
            "sigmoid": (
                "3. VGG với sigmoid",
                "Bài giảng: tám lớp tích chập với sigmoid không học được, vì độ dốc của nó nhiều nhất là một phần tư "
                "và gradient bị nhân với nó ở mỗi lớp: gradient triệt tiêu.",
            ),
            "relu": (
                "4. ReLU",
                "Bài giảng: cùng mạng đó với ReLU, có độ dốc bằng 1, học được khi sigmoid thì không.",
            ),
            "glorot": (
                "5. Khởi tạo Glorot",
                "Bài giảng: trọng số được rút theo bề rộng của các lớp (Glorot và Bengio 2010) giúp mạng học tốt hơn "
                "trọng số có một độ lệch chuẩn cố định, 0,05.",
            ),
            "deeper": (
                "6. Sâu hơn, và không học được",
                "Bài giảng: mười sáu lớp tích chập với ReLU và khởi tạo Glorot không học được: ReLU giảm một nửa "
                "phương sai ở mỗi lớp.",
            ),
            "he": (
                "7. Khởi tạo He",
                "Bài giảng: phương sai gấp đôi (He và cộng sự 2015) làm cho mười sáu lớp học được.",
            ),
            "normalization_none": (
                "8a. Điểm ảnh thô, 0 đến 255",
                "Tám lớp tích chập với He, nhận điểm ảnh thô.",
            ),
            "normalization_zero_one": ("8b. Điểm ảnh từ 0 đến 1", "Bài giảng: chia cho 255 thì học tốt hơn."),
            "normalization_minus_one_one": (
                "8c. Điểm ảnh từ -1 đến 1",
                "Bài giảng: đưa về quanh 0 thì học tốt hơn ảnh thô.",
            ),
            "normalization_zero_mean": (
                "8d. Trung bình 0, độ lệch chuẩn 1",
                "Bài giảng: với trung bình và độ lệch chuẩn của các ảnh huấn luyện thì học tốt hơn ảnh thô.",
            ),
            "normalization_per_image": (
                "8e. Từng ảnh riêng",
                "Bài giảng: mỗi ảnh theo trung bình và độ lệch của nó cũng vậy.",
            ),
            "batch_norm": (
                "9. Batch normalization",
                "Bài giảng: mười sáu lớp tích chập với batch normalization (Ioffe và Szegedy 2015) học tốt hơn so với "
                "chỉ dùng khởi tạo He.",
            ),
        },
    },
}
